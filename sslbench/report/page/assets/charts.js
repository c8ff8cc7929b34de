// Draws the charts of the report from the data beside it, sorts and saves what is shown, and shows the runs behind a
// number. Needs Plot and d3.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const alone = new Set(); // the rows that are shown; empty: all
  const drawnWidth = new WeakMap();
  const narrow = 460; // pixels

  const shownChart = (holder) => data.charts[Number(holder.dataset.chart)];
  const look = (row) => data.looks[row];
  const pretext = (row) => row.split(" from ")[0];
  const source = (row) => row.split(" from ")[1] || "";
  const chosen = (items) => {
    const found = items.filter(({ row }) => alone.has(row) || alone.has(pretext(row)));
    return found.length ? found : items;
  };

  const short = (value) => (Math.abs(value) >= 1000 ? d3.format("~s") : d3.format("~g"))(value);

  function marker(points, { color, symbol }, options) {
    const stroked = symbol === "times" || symbol === "plus";
    return Plot.dot(points, { x: "x", y: "y", symbol, r: 4, stroke: color, fill: stroked ? "none" : color, ...options });
  }

  function bands(points, color, facet) {
    const banded = points.filter((point) => point.half !== undefined);
    const band = { x: "x", y1: (point) => point.y - point.half, y2: (point) => point.y + point.half };
    return Plot.areaY(banded, { ...band, ...facet, fill: color, fillOpacity: 0.13, clip: true });
  }

  function lineOf({ row, points }) {
    const { color, dash, width } = look(row);
    return [Plot.line(points, { x: "x", y: "y", stroke: color, strokeWidth: width, strokeDasharray: dash }), marker(points, look(row), {})];
  }

  const level = (chart) => (chart.level === undefined ? [] : [Plot.ruleY([chart.level], { stroke: "currentColor", strokeDasharray: "1.5 3" })]);
  const tip = { x: "x", y: "y", title: "tip", fill: "var(--paper)", stroke: "var(--rule)", fontSize: 12, lineWidth: 26 };
  const axes = (chart, width) => {
    const every = Math.max(1, Math.ceil((chart.ticks.length * 40) / width));
    const spread = chart.ticks.filter((_, at) => (chart.ticks.length - 1 - at) % every === 0);
    const label = { label: chart.xlabel, labelArrow: "none", labelAnchor: "center" };
    return {
      x: { type: chart.logarithmic ? "log" : "linear" },
      y: { label: chart.ylabel || null, labelArrow: "none", grid: true, ticks: 6, nice: !chart.ydomain, ...(chart.ydomain ? { domain: chart.ydomain } : {}) },
      // A tick has its own words: d3 would leave out some of them on a logarithmic axis.
      axis: spread.length ? Plot.axisX(spread.map(([place]) => place), { ...label, text: (place) => new Map(spread).get(place) })
        : Plot.axisX({ ...label, ticks: width < narrow ? 4 : 6, tickFormat: short }),
    };
  };
  const usual = (width) => ({ height: Math.round(Math.min(330, Math.max(240, 0.6 * width))), marginTop: 26, marginLeft: 38, marginRight: 18, marginBottom: 38 });

  const kinds = {
    lines(chart, width) { // over one another
      const lines = chosen(chart.lines).map((line) => ({ ...line, points: line.points.map((point) => ({ ...point, row: line.row })) }));
      const marks = [...lines.map((line) => bands(line.points, look(line.row).color, {})), ...lines.flatMap(lineOf), ...level(chart)];
      const { axis, ...scales } = axes(chart, width - 56);
      return { ...usual(width), ...scales, marks: [axis, ...marks, Plot.tip(lines.flatMap((line) => line.points), Plot.pointer(tip))] };
    },

    panels(chart, width) { // one per pretext, training from scratch in grey in all of them
      const lines = chart.lines.filter((line) => line.row !== "supervised");
      const own = [...new Set(lines.map((line) => pretext(line.row)))];
      const reference = (chart.lines.find((line) => line.row === "supervised") || { points: [] }).points;
      const columns = Math.max(1, Math.floor(width / 124));
      const rows = Math.ceil(own.length / columns);
      const points = lines.flatMap(({ row, points }) => points.map((point) => ({ ...point, at: own.indexOf(pretext(row)), row })));
      const of = (name) => points.filter(({ row }) => source(row) === name);
      const place = { fx: (point) => point.at % columns, fy: (point) => Math.floor(point.at / columns) };
      const grey = { x: "x", y: "y", stroke: "var(--init)", strokeWidth: 1.4, strokeDasharray: "5 3" };
      const { x, y, axis } = axes(chart, (width - 60) / columns);
      return {
        height: 54 + rows * (width < narrow ? 84 : 99), marginTop: 18, marginLeft: 30, marginRight: 14, marginBottom: 36, x, y: { ...y, ticks: 4 },
        fx: { axis: null, padding: 0.2 }, fy: { axis: null, padding: 0.26 },
        marks: [
          axis,
          bands(reference, "var(--init)", {}), Plot.line(reference, grey), ...level(chart),
          ...sources(chart).flatMap(([name, { color, dash, symbol }]) => [
            bands(of(name), color, { ...place, z: "at" }),
            Plot.line(of(name), { x: "x", y: "y", z: "at", ...place, stroke: color, strokeWidth: 1.8, strokeDasharray: dash }),
            Plot.dot(of(name), { x: "x", y: "y", ...place, r: 2.8, symbol, fill: color }),
          ]),
          Plot.text(own, { fx: (_, at) => at % columns, fy: (_, at) => Math.floor(at / columns), text: (row) => row, frameAnchor: "top-left", dx: -1, dy: -13, fontSize: 11 }),
          Plot.tip(points, Plot.pointer({ ...tip, ...place })),
        ],
      };
    },

    points(chart, width) {
      const points = chosen(chart.points);
      const front = chart.front ? [Plot.line(chart.front, { x: "x", y: "y", curve: "step-after", stroke: "currentColor", strokeOpacity: 0.45 })] : [];
      const dots = [...new Set(points.map((point) => point.row))].map((row) => marker(points.filter((point) => point.row === row), look(row), { r: 4.5 }));
      const { axis, ...scales } = axes(chart, width - 56);
      return { ...usual(width), ...scales, marks: [axis, ...front, ...dots, Plot.tip(points, Plot.pointer(tip))] };
    },

    saved(chart, width) { // a dot with its interval per row, on the axis of multiples
      const [first, last, least, most] = chart.xdomain;
      const bars = chart.bars;
      const tight = width < narrow;
      const long = (name, size) => size * Math.max(...bars.map((bar) => bar[name].length));
      const tall = tight ? 33 : Math.min(38, Math.max(17.5, 330 / bars.length));
      const tone = (bar) => (bar.row in data.looks && ["raw_pixels", "raw_values", "minirocket", "tfidf", "random_init"].includes(bar.row) ? "var(--init)" : "var(--c0)");
      const drawn = bars.filter((bar) => bar.low !== undefined);
      const reach = { x1: "low", x2: "high", y1: "row", y2: "row", stroke: tone };
      const heads = drawn.flatMap((bar) => [...(bar.arrows || "")].map((side) => ({ ...bar, side, x: side === "<" ? bar.low : bar.high })));
      const seeds = bars.flatMap((bar) => (bar.seeds || []).map(([x, side]) => ({ row: bar.row, x, side })));
      const turned = { symbol: "triangle", rotate: (item) => (item.side === "<" ? -90 : 90) };
      const beside = { y: "row", fontSize: 12, dy: tight ? -12 : 0, fill: "currentColor", stroke: "var(--paper)", strokeWidth: 4 };
      const left = tight ? 8 : 14 + long("row", 6.6);
      const right = tight ? 8 : 14 + long("text", 6.4);
      const before = ((width - left - right) * Math.log(1 / first)) / Math.log(last / first); // pixels left of 1×
      const hints = [["← costs labels", "end", -6, left + before], ["saves labels →", "start", 6, width - left - before]]
        .filter((hint) => hint[3] > 100)
        .map(([text, textAnchor, dx]) => Plot.text([text], { frameAnchor: "top", dy: -19, x: 1, fontSize: 12, fill: "var(--soft)", textAnchor, dx }));
      const { axis } = axes(chart, Infinity);
      return {
        height: 76 + tall * bars.length, marginTop: 30, marginBottom: 46,
        marginLeft: left, marginRight: right,
        x: { type: "log", domain: [first, last] },
        y: { type: "point", domain: bars.map((bar) => bar.row), label: null, axis: tight ? null : "left", tickSize: 0, padding: tight ? 0.75 : 0.6 },
        marks: [
          axis,
          Plot.rectX([[first, least], [most, last]], { x1: "0", x2: "1", fill: "currentColor", fillOpacity: 0.07 }),
          Plot.ruleX(chart.ticks.map(([place]) => place), { stroke: "var(--rule)" }), Plot.ruleX([1], { stroke: "currentColor", strokeWidth: 1.4 }),
          ...hints,
          Plot.link(drawn.filter((bar) => bar.interval), { ...reach, strokeWidth: 2.2 }),
          Plot.link(drawn.filter((bar) => !bar.interval), { ...reach, strokeDasharray: "2 4" }),
          Plot.dot(heads, { x: "x", y: "row", r: 5, ...turned, fill: tone }),
          Plot.dot(seeds.filter((seed) => !seed.side), { x: "x", y: "row", r: 3, fill: "currentColor", fillOpacity: 0.38 }),
          Plot.dot(seeds.filter((seed) => seed.side), { x: "x", y: "row", r: 3, ...turned, fill: "currentColor", fillOpacity: 0.38 }),
          Plot.dot(bars.filter((bar) => bar.at !== undefined), { x: "at", y: "row", r: 5.5, fill: tone, stroke: "var(--paper)" }),
          Plot.text(bars, { ...beside, text: "text", frameAnchor: "right", ...(tight ? {} : { textAnchor: "start", dx: 10 }) }),
          ...(tight ? [Plot.text(bars, { ...beside, text: "row", frameAnchor: "left" })] : []),
          Plot.tip(bars, Plot.pointerY({ ...tip, x: (bar) => bar.at ?? bar.high ?? 1, y: "row" })),
        ],
      };
    },
  };

  const element = (tag, text, attributes = {}) => {
    const made = document.createElement(tag);
    made.textContent = text;
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };

  // What panels draw: the dataset itself, and others that encoders were pretrained on.
  const sources = (chart) => [...new Set(chart.lines.map((line) => source(line.row)))].sort().map((name, at) => [name, {
    color: `var(--c${at % 6})`, symbol: at ? "square" : "circle", width: 1.8, dash: at ? look(chart.lines.find((line) => source(line.row) === name).row).dash : "",
  }]);

  function sample({ color, dash, width, symbol }, lined) { // how something is drawn
    const line = [{ x: 0, y: 0 }, { x: 2, y: 0 }];
    const drawn = Plot.plot({ width: 34, height: 12, margin: 1, axis: null, x: { domain: [0, 2] }, y: { domain: [-1, 1] }, marks: [
      ...(lined ? [Plot.line(line, { x: "x", y: "y", stroke: color, strokeWidth: width, strokeDasharray: dash })] : []),
      marker([{ x: 1, y: 0 }], { color, symbol }, {}),
    ] });
    drawn.setAttribute("aria-hidden", "true");
    return drawn;
  }

  function legend(chart) { // its rows, each a button that shows it alone; of panels what their lines are
    const list = element("p", "", { class: "legend" });
    const told = (tag, text, look, attributes) => {
      const item = element(tag, "", attributes);
      item.append(sample(look, chart.kind !== "points"), text);
      list.append(item);
    };
    if (chart.kind === "panels") {
      const found = sources(chart);
      if (found.length > 1) found.forEach(([name, look]) => told("span", `pretrained on ${name || "the same dataset"}`, look, {}));
      return list;
    }
    const rows = new Set([...(chart.lines || []), ...(chart.points || [])].map((item) => item.row));
    for (const row of [...rows].sort((one, other) => order(one) - order(other))) {
      told("button", row, look(row), { type: "button", "data-row": row, "aria-pressed": String(alone.has(row)) });
    }
    return list;
  }
  const order = (row) => data.order.indexOf(row);

  function draw(holder, force) {
    const width = Math.floor(holder.clientWidth);
    if (!width || (!force && drawnWidth.get(holder) === width)) return;
    drawnWidth.set(holder, width);
    let chart = { ticks: [], logarithmic: true, ...shownChart(holder) };
    if (chart.kind === "panels" && chosen(chart.lines).length < chart.lines.length) {
      chart = { ...chart, kind: "lines", lines: chart.lines.filter((line) => line.row === "supervised" || chosen(chart.lines).includes(line)) };
    }
    const rowed = chart.kind !== "saved";
    const svg = Plot.plot({ width, ariaLabel: chart.alt, style: { fontSize: "12px" }, ...kinds[chart.kind](chart, width) });
    svg.setAttribute("role", chart.kind === "panels" ? "group" : "img");
    svg.addEventListener("click", () => svg.value && rowed && toggle(svg.value.row, holder));
    if (chart.kind === "panels") svg.querySelectorAll("[aria-label=text] text").forEach((title) => {
      for (const [name, value] of Object.entries({ tabindex: 0, role: "button", "data-row": title.textContent })) title.setAttribute(name, value);
    });
    holder.replaceChildren(...(rowed ? [legend(chart)] : []), svg);
    const press = rowed ? element("span", " Press a row to see it alone, again to see all.", { class: "screen" }) : "";
    holder.parentElement.querySelector("figcaption").replaceChildren(chart.caption || "", press);
  }

  const holders = [...document.querySelectorAll(".plot[data-chart]")];
  const visible = new Set();
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) { visible.delete(entry.target); continue; }
      visible.add(entry.target);
      draw(entry.target, false);
    }
  }, { rootMargin: "600px" });
  const resized = new ResizeObserver((entries) => entries.forEach(({ target }) => visible.has(target) && draw(target, false)));
  for (const holder of holders) { seen.observe(holder); resized.observe(holder); }
  function toggle(row, holder) {
    if (!alone.delete(row)) alone.add(row);
    redraw();
    const again = holder.querySelector(`[data-row="${CSS.escape(row)}"]`);
    if (again) again.focus();
  }
  const redraw = () => holders.forEach((holder) => (visible.has(holder) ? draw(holder, true) : drawnWidth.delete(holder)));

  // One table at a time, wherever it is chosen; all of it on paper.
  const choosers = [...document.querySelectorAll("select[data-chooses-table]")];
  const choosable = [...document.querySelectorAll("[data-shows]")];
  const choose = (table) => {
    choosers.forEach((chooser) => { chooser.value = table; });
    choosable.forEach((item) => { item.hidden = !item.dataset.shows.split(" ").includes(table); });
  };
  if (choosers.length) choose(choosers[0].value);
  holders.filter((holder) => holder.closest(".first")).forEach((holder) => draw(holder, false)); // nobody waits for the answer
  let closed = [];
  window.addEventListener("beforeprint", () => {
    choosable.forEach((item) => { item.hidden = false; });
    closed = [...document.querySelectorAll("main details:not([open])")];
    closed.forEach((item) => { item.open = true; });
    holders.forEach((holder) => draw(holder, true));
  });
  window.addEventListener("afterprint", () => {
    closed.forEach((item) => { item.open = false; });
    if (choosers.length) choose(choosers[0].value);
  });

  document.addEventListener("change", ({ target }) => {
    if (target.matches("select[data-chooses-table]")) choose(target.value);
    if (!target.matches("select[data-chooses-chart]")) return;
    const holder = target.closest("figure").querySelector(".plot");
    holder.dataset.chart = target.value;
    draw(holder, true);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-row]");
    if (button) toggle(button.dataset.row, button.closest(".plot"));
  });
  // What a link leads to may be folded.
  const unfold = () => { const found = document.getElementById(location.hash.slice(1)); if (found && found.tagName === "DETAILS") found.open = true; };
  window.addEventListener("hashchange", unfold);
  unfold();

  // What is shown can be kept: a table as CSV, a figure as PNG.
  const save = (name, href) => element("a", "", { href, download: name.toLowerCase().replace(/[^a-z0-9.]+/g, "-") }).click();
  const saver = (words, title, keep) => {
    const button = element("button", words, { type: "button", class: "save", title });
    button.addEventListener("click", keep);
    return button;
  };
  const named = document.title.split(":")[0];
  for (const table of document.querySelectorAll("main table")) {
    const text = (cell) => cell.textContent.trim().replace(/\s+/g, " ");
    table.parentElement.after(saver("CSV", "Save this table as it is shown", () => {
      const lines = [...table.rows].map((row) => [...row.cells].map((cell) => `"${text(cell).replaceAll('"', '""')}"`).join(","));
      save(`${named} ${table.parentElement.ariaLabel}.csv`, `data:text/csv;charset=utf-8,%EF%BB%BF${encodeURIComponent(lines.join("\r\n"))}`);
    }));
    const written = [...table.tBodies[0].rows];
    for (const heading of table.tHead.rows[0].cells) {
      const words = heading.cellIndex === 0 || heading.classList.contains("text");
      const button = element("button", heading.textContent, { type: "button" });
      heading.replaceChildren(button);
      button.addEventListener("click", () => { // up, down, as written; numbers down first
        const turns = words ? ["ascending", "descending"] : ["descending", "ascending"];
        const turn = turns[turns.indexOf(heading.getAttribute("aria-sort")) + 1];
        for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
        if (turn) heading.setAttribute("aria-sort", turn);
        table.toggleAttribute("data-sorted", Boolean(turn));
        const sign = turn === "ascending" ? 1 : -1;
        const at = (row) => text(row.cells[heading.cellIndex]);
        const compare = words ? (one, other) => sign * at(one).localeCompare(at(other), "en", { numeric: true })
          : (one, other) => Number.isNaN(worth(at(one))) - Number.isNaN(worth(at(other))) || sign * (worth(at(one)) - worth(at(other)));
        table.tBodies[0].append(...(turn ? [...written].sort(compare) : written));
      });
    }
  }
  function worth(text) { // its first number; NaN if it has none
    const [, number, unit] = text.replaceAll(",", "").match(/(-?\d+(?:\.\d+)?)(?: ([kMGTPE])FLOPs)?/) || [];
    return Number(number) * (unit ? 1000 ** ("kMGTPE".indexOf(unit) + 1) : 1);
  }

  for (const holder of holders) {
    const figure = holder.parentElement;
    figure.append(saver("PNG", "Save this figure as it is shown", async () => {
      const { width, height } = figure.getBoundingClientRect();
      const copy = figure.cloneNode(true);
      const choices = figure.querySelectorAll("select");
      copy.querySelectorAll("select").forEach((select, at) => select.replaceWith(choices[at].selectedOptions[0].text));
      copy.querySelectorAll(".screen, .save, noscript").forEach((item) => item.remove());
      const page = document.querySelector("style").textContent;
      const around = `color: var(--ink); padding: 12px; font: ${getComputedStyle(document.body).font.replaceAll('"', "'")}`;
      const content = `<style><![CDATA[${page}]]></style>${new XMLSerializer().serializeToString(copy)}`;
      const image = new Image();
      image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" width="${width + 24}" height="${height + 24}"><foreignObject width="100%" height="100%"><div xmlns="http://www.w3.org/1999/xhtml" style="${around}">${content}</div></foreignObject></svg>`)}`;
      await image.decode();
      const canvas = Object.assign(document.createElement("canvas"), { width: 2 * image.width, height: 2 * image.height });
      const context = canvas.getContext("2d");
      context.fillStyle = getComputedStyle(document.body).backgroundColor;
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.drawImage(image, 0, 0, canvas.width, canvas.height);
      save(`${named} ${figure.querySelector("h3").textContent}.png`, canvas.toDataURL("image/png"));
    }));
  }

  // The runs behind a number.
  const dialog = document.getElementById("runs");
  const { ui } = dialog.dataset;
  function show({ title, runs }) {
    dialog.querySelector("h2").textContent = title;
    const body = dialog.querySelector("tbody");
    body.replaceChildren(...JSON.parse(runs).map(([seed, value, run]) => {
      const line = document.createElement("tr");
      const link = element("td", "", { class: "text" });
      link.append(ui && run ? element("a", run, { href: `${ui}/#/runs/${run}`, rel: "noopener", title: "opens where sslbench ui is running" }) : run);
      line.append(element("th", seed, { scope: "row" }), element("td", (100 * value).toFixed(2)), link);
      return line;
    }));
    dialog.showModal();
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-runs]");
    if (button) show(button.dataset);
    if (event.target === dialog) dialog.close();
  });

  // One tab stop per table; arrows move between its numbers.
  const steps = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
  document.addEventListener("keydown", (event) => {
    const title = event.target.closest("svg [data-row]");
    if (title && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      toggle(title.dataset.row, title.closest(".plot"));
    }
    const button = event.target.closest("button[data-runs]");
    const step = steps[event.key];
    if (!button || !step) return;
    const rows = [...button.closest("tbody").rows];
    let down = rows.indexOf(button.closest("tr"));
    let right = button.closest("td").cellIndex;
    for (;;) {
      down += step[0]; right += step[1];
      const next = rows[down] && rows[down].cells[right];
      if (!next) return;
      const target = next.querySelector("button[data-runs]");
      if (!target) continue;
      event.preventDefault();
      button.tabIndex = -1; target.tabIndex = 0; target.focus();
      return;
    }
  });
})();
