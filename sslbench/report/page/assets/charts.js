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

  function bands(points, color, facet) {
    const banded = points.filter((point) => point.half !== undefined);
    const band = { x: "x", y1: (point) => point.y - point.half, y2: (point) => point.y + point.half };
    return Plot.areaY(banded, { ...band, ...facet, fill: color, fillOpacity: 0.13, clip: true });
  }

  function lineOf({ row, points }) {
    const { color, dash, width } = look(row);
    return [Plot.line(points, { x: "x", y: "y", stroke: color, strokeWidth: width, strokeDasharray: dash }), marker(points, row, {})];
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
      const lines = chart.lines.filter((line) => !hidden.has(line.row));
      const marks = [...lines.map((line) => bands(line.points, look(line.row).color, {})), ...lines.flatMap(lineOf), ...level(chart)];
      const { axis, ...scales } = axes(chart, width - 56);
      return { ...usual(width), ...scales, marks: [axis, ...marks, Plot.tip(lines.flatMap((line) => line.points), Plot.pointer(tip))] };
    },

    panels(chart, width) { // one each, training from scratch in grey in all of them
      const own = chart.lines.filter((line) => line.row !== "supervised");
      const reference = (chart.lines.find((line) => line.row === "supervised") || { points: [] }).points;
      const columns = Math.max(1, Math.floor(width / 124));
      const rows = Math.ceil(own.length / columns);
      const points = own.flatMap((line, at) => line.points.map((point) => ({ ...point, at, row: line.row })));
      const place = { fx: (point) => point.at % columns, fy: (point) => Math.floor(point.at / columns) };
      const grey = { x: "x", y: "y", stroke: "var(--init)", strokeWidth: 1.4, strokeDasharray: "5 3" };
      const { x, y, axis } = axes(chart, (width - 60) / columns);
      return {
        height: 54 + rows * (width < narrow ? 84 : 99), marginTop: 18, marginLeft: 30, marginRight: 14, marginBottom: 36, x, y: { ...y, ticks: 4 },
        fx: { axis: null, padding: 0.2 }, fy: { axis: null, padding: 0.26 },
        marks: [
          axis,
          bands(reference, "var(--init)", {}), Plot.line(reference, grey), ...level(chart), bands(points, "var(--c0)", place),
          Plot.line(points, { x: "x", y: "y", z: "at", ...place, stroke: "var(--c0)", strokeWidth: 1.8 }),
          Plot.dot(points, { x: "x", y: "y", ...place, r: 2.8, fill: "var(--c0)" }),
          Plot.text(own, { fx: (_, at) => at % columns, fy: (_, at) => Math.floor(at / columns), text: "row", frameAnchor: "top-left", dx: -1, dy: -13, fontSize: 11 }),
          Plot.tip(points, Plot.pointer({ ...tip, ...place })),
        ],
      };
    },

    points(chart, width) {
      const points = chart.points.filter((point) => !hidden.has(point.row));
      const front = chart.front ? [Plot.line(chart.front, { x: "x", y: "y", curve: "step-after", stroke: "currentColor", strokeOpacity: 0.45 })] : [];
      const dots = [...new Set(points.map((point) => point.row))].map((row) => marker(points.filter((point) => point.row === row), row, { r: 4.5 }));
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

  function legend(chart) { // its rows, each a button that hides it everywhere
    const list = element("p", "", { class: "legend" });
    const rows = new Set([...(chart.lines || []), ...(chart.points || [])].map((item) => item.row));
    for (const row of Object.keys(data.looks).filter((name) => rows.has(name)).sort((one, other) => order(one) - order(other))) {
      const { color, dash, width } = look(row);
      const button = element("button", "", { type: "button", "data-row": row, "aria-pressed": String(!hidden.has(row)) });
      const line = [{ x: 0, y: 0 }, { x: 2, y: 0 }];
      button.append(Plot.plot({ width: 34, height: 12, margin: 1, axis: null, x: { domain: [0, 2] }, y: { domain: [-1, 1] }, marks: [
        ...(chart.kind === "points" ? [] : [Plot.line(line, { x: "x", y: "y", stroke: color, strokeWidth: width, strokeDasharray: dash })]),
        marker([{ x: 1, y: 0 }], row, {}),
      ] }), row);
      button.firstChild.setAttribute("aria-hidden", "true");
      list.append(button);
    }
    return list;
  }
  const order = (row) => data.order.indexOf(row);

  function draw(holder, force) {
    const width = Math.floor(holder.clientWidth);
    if (!width || (!force && drawnWidth.get(holder) === width)) return;
    drawnWidth.set(holder, width);
    const chart = { ticks: [], logarithmic: true, ...shownChart(holder) };
    const svg = Plot.plot({ width, ariaLabel: chart.alt, style: { fontSize: "12px" }, ...kinds[chart.kind](chart, width) });
    svg.setAttribute("role", "img");
    holder.replaceChildren(...(chart.kind === "lines" || chart.kind === "points" ? [legend(chart)] : []), svg);
    holder.parentElement.querySelector("figcaption").textContent = chart.caption || "";
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
    if (!button) return;
    const { row } = button.dataset;
    if (!hidden.delete(row)) hidden.add(row);
    const figure = button.closest(".plot");
    redraw();
    figure.querySelector(`button[data-row="${CSS.escape(row)}"]`).focus();
  });
  // What a link leads to may be folded.
  const unfold = () => { const found = document.getElementById(location.hash.slice(1)); if (found && found.tagName === "DETAILS") found.open = true; };
  window.addEventListener("hashchange", unfold);
  unfold();

  // The runs behind a number.
  const dialog = document.getElementById("runs");
  function show({ title, runs }) {
    dialog.querySelector("h2").textContent = title;
    const body = dialog.querySelector("tbody");
    body.replaceChildren(...JSON.parse(runs).map(([seed, value, run]) => {
      const line = document.createElement("tr");
      const link = element("td", "", { class: "text" });
      link.append(data.ui && run ? element("a", run, { href: `${data.ui}/#/runs/${run}`, rel: "noopener" }) : run);
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
