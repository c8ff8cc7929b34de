// Chooses a dataset and a way of reading, sorts by a click on a heading, and saves the lines that are shown.
"use strict";
(() => {
  const sections = [...document.querySelectorAll("section[data-dataset]")];
  const dataset = document.getElementById("dataset");
  const protocol = document.getElementById("protocol");
  const shown = () => sections.find((section) => !section.hidden);

  function choose() {
    for (const section of sections) section.hidden = section.dataset.dataset !== dataset.value;
    for (const line of document.querySelectorAll("tbody tr")) {
      line.hidden = protocol.value === "headline" ? !("headline" in line.dataset) : protocol.value !== "" && line.dataset.protocol !== protocol.value;
    }
    history.replaceState(null, "", `#${encodeURIComponent(dataset.value)}`);
  }
  const linked = decodeURIComponent(location.hash.slice(1));
  if (sections.some((section) => section.dataset.dataset === linked)) dataset.value = linked;
  dataset.addEventListener("change", choose);
  protocol.addEventListener("change", choose);
  choose();

  // Numbers largest first, words in their order; what is not there always last.
  function sort(heading) {
    const column = heading.cellIndex;
    const words = heading.classList.contains("text");
    const down = heading.getAttribute("aria-sort") ? heading.getAttribute("aria-sort") === "ascending" : !words;
    const body = heading.closest("table").tBodies[0];
    for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = (line) => (words ? line.cells[column].firstChild.textContent : Number(line.cells[column].dataset.order ?? NaN));
    const compare = (one, other) => (words ? one.localeCompare(other) : one - other);
    const lines = [...body.rows].map((line) => [key(line), line]);
    const there = lines.filter(([value]) => !Number.isNaN(value)).sort(([one], [other]) => (down ? compare(other, one) : compare(one, other)));
    body.append(...[...there, ...lines.filter(([value]) => Number.isNaN(value))].map(([, line]) => line));
  }
  document.addEventListener("click", ({ target }) => {
    const heading = target.closest("thead th");
    if (heading) sort(heading);
  });

  // Names and accuracies in two columns each, costs as plain numbers.
  const share = /^[\d.]+%$/;
  function fields(cell, heading) {
    const [text, small] = [...cell.childNodes].map((node) => node.textContent);
    if (cell.matches("th, .text")) return heading === "encoder" ? [text] : [text, small];
    if (share.test(heading)) return [text, (small ?? "").slice(2)];
    return [heading.startsWith("labels saved") ? text : cell.dataset.order ?? ""];
  }
  const columns = (heading) => ({ pretext: ["pretext", "read by"], from: ["from", "run"] })[heading] ?? (share.test(heading) ? [heading, `${heading} ±`] : [heading]);
  // A spreadsheet would run what begins like a formula.
  const quoted = (text) => `"${text.replace(/^(?=[=+@\t-])/, "'").replaceAll('"', '""')}"`;
  document.getElementById("save").addEventListener("click", () => {
    const table = shown().querySelector("table");
    const headings = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
    const lines = [...table.tBodies[0].rows].filter((line) => !line.hidden).map((line) => headings.flatMap((heading, at) => fields(line.cells[at], heading)));
    const text = [headings.flatMap(columns), ...lines].map((line) => `${line.map(quoted).join(",")}\n`).join("");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    link.download = `leaderboard-${dataset.value.replace(/[^\w.-]/g, "_")}.csv`;
    link.click();
    URL.revokeObjectURL(link.href);
  });
})();
