// Draws the charts of the report from the data beside it, and shows the runs behind a number. Needs Plot and d3.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const hidden = new Set();
  const drawnWidth = new WeakMap();
  const narrow = 460; // pixels

  const shownChart = (holder) => data.charts[Number(holder.dataset.chart)];
  const look = (row) => data.looks[row];

  const short = (value) => (Math.abs(value) >= 1000 ? d3.format("~s") : d3.format("~g"))(value);

  function marker(points, row, options) {
    const { color, symbol } = look(row);
    const stroked = symbol === "times" || symbol === "plus";
    return Plot.dot(points, { x: "x", y: "y", symbol, r: 4, stroke: color, fill: stroked ? "none" : color, ...options });
  }

  function lineMarks(chart) {
    const marks = [];
    const lines = chart.lines.filter((line) => !hidden.has(line.row));
    for (const { row, points } of lines) {
      const banded = points.filter((point) => point.half !== null);
      const band = { x: "x", y1: (point) => point.y - point.half, y2: (point) => point.y + point.half };
      marks.push(Plot.areaY(banded, { ...band, fill: look(row).color, fillOpacity: 0.13, clip: true }));
    }
    for (const { row, points } of lines) {
      const { color, dash, width } = look(row);
      marks.push(Plot.line(points, { x: "x", y: "y", stroke: color, strokeWidth: width, strokeDasharray: dash }));
      marks.push(marker(points, row, {}));
    }
    if (chart.level !== null) {
      marks.push(Plot.ruleY([chart.level], { stroke: "currentColor", strokeDasharray: "1.5 3" }));
    }
    return [marks, lines.flatMap((line) => line.points)];
  }

  function pointMarks(chart) {
    const points = chart.points.filter((point) => !hidden.has(point.row));
    const marks = [];
    if (chart.front.length) {
      marks.push(Plot.line(chart.front, { x: "x", y: "y", curve: "step-after", stroke: "currentColor", strokeOpacity: 0.45 }));
    }
    for (const row of new Set(points.map((point) => point.row))) {
      marks.push(marker(points.filter((point) => point.row === row), row, { r: 4.5 }));
    }
    return [marks, points];
  }

  function draw(holder, force) {
    const width = Math.floor(holder.clientWidth);
    if (!width || (!force && drawnWidth.get(holder) === width)) return;
    drawnWidth.set(holder, width);
    const chart = shownChart(holder);
    const [marks, points] = chart.kind === "lines" ? lineMarks(chart) : pointMarks(chart);
    const tip = { x: "x", y: "y", title: "tip", fill: "var(--paper)", stroke: "var(--rule)", fontSize: 12, lineWidth: 26 };
    const ticks = chart.ticks.map(([place]) => place);
    const names = new Map(chart.ticks);
    const spread = width < narrow && ticks.length > 5 ? ticks.filter((_, at) => at % 2 === 0) : ticks;
    const x = { type: chart.logarithmic ? "log" : "linear", label: chart.xlabel, labelArrow: "none" };
    const svg = Plot.plot({
      width, height: Math.round(Math.min(330, Math.max(240, 0.72 * width))), marginTop: 30, marginLeft: 38, marginRight: 18, marginBottom: 38,
      ariaLabel: chart.alt,
      x: ticks.length ? { ...x, ticks: spread, tickFormat: (place) => names.get(place) } : { ...x, ticks: width < narrow ? 4 : 6, tickFormat: short },
      y: { label: chart.ylabel, labelArrow: "none", grid: true, ticks: 6, nice: chart.ydomain === null, ...(chart.ydomain ? { domain: chart.ydomain } : {}) },
      marks: [...marks, Plot.tip(points, Plot.pointer(tip))],
    });
    svg.setAttribute("role", "img");
    holder.replaceChildren(svg);
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
  const redraw = () => holders.forEach((holder) => (visible.has(holder) ? draw(holder, true) : drawnWidth.delete(holder)));
  window.addEventListener("beforeprint", () => holders.forEach((holder) => draw(holder, true)));

  document.addEventListener("change", (event) => {
    const choice = event.target.closest("select[data-for]");
    if (!choice) return;
    const holder = document.getElementById(choice.dataset.for);
    holder.dataset.chart = choice.value;
    draw(holder, true);
  });

  const toggles = [...document.querySelectorAll(".legend button[data-row]")];
  const all = [...new Set(toggles.map((button) => button.dataset.row))];
  document.addEventListener("click", (event) => {
    const button = event.target.closest(".legend button");
    if (!button) return;
    const { row } = button.dataset;
    if (row === undefined) { // the button for all of them
      if (hidden.size) hidden.clear(); else all.forEach((name) => hidden.add(name));
    } else if (!hidden.delete(row)) hidden.add(row);
    toggles.forEach((other) => other.setAttribute("aria-pressed", String(!hidden.has(other.dataset.row))));
    redraw();
  });

  // The runs behind a number.
  const dialog = document.getElementById("runs");
  const element = (tag, text, attributes = {}) => {
    const made = document.createElement(tag);
    made.textContent = text;
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };
  function show(cell) {
    const [title, runs] = data.cells[cell];
    dialog.querySelector("h2").textContent = title;
    const body = dialog.querySelector("tbody");
    body.replaceChildren(...runs.map(([seed, value, run]) => {
      const line = document.createElement("tr");
      const link = element("td", "", { class: "text" });
      link.append(data.ui && run ? element("a", run, { href: `${data.ui}/#/runs/${run}`, rel: "noopener" }) : run);
      line.append(element("th", seed, { scope: "row" }), element("td", (100 * value).toFixed(2)), link);
      return line;
    }));
    dialog.showModal();
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-cell]");
    if (button) show(Number(button.dataset.cell));
    if (event.target === dialog) dialog.close();
  });

  // One tab stop per table; arrows move between its numbers.
  const steps = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
  document.addEventListener("keydown", (event) => {
    const button = event.target.closest("button[data-cell]");
    const step = steps[event.key];
    if (!button || !step) return;
    const rows = [...button.closest("tbody").rows];
    let down = rows.indexOf(button.closest("tr"));
    let right = button.closest("td").cellIndex;
    for (;;) {
      down += step[0]; right += step[1];
      const next = rows[down] && rows[down].cells[right];
      if (!next) return;
      const target = next.querySelector("button[data-cell]");
      if (!target) continue;
      event.preventDefault();
      button.tabIndex = -1; target.tabIndex = 0; target.focus();
      return;
    }
  });
})();
