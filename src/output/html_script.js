"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const formats = data.formats;
  const PAGE = 50; // rows that are shown at first, and that a button adds

  let file;
  for (const tensor of data.tensors) file = tensor.file ??= file;

  // Elements. What comes from the data is only ever text.

  const SVG = "http://www.w3.org/2000/svg";

  function build(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes || {}))
      if (name === "on") for (const [event, hear] of Object.entries(value)) element.addEventListener(event, hear);
      else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
    element.append(...children.filter((child) => child !== undefined));
    return element;
  }
  const html = (tag, attributes, ...children) => build(document.createElement(tag), attributes, children);
  const svg = (tag, attributes, ...children) => build(document.createElementNS(SVG, tag), attributes, children);

  // Figures.

  const isInput = (metric) => metric[0] === "input";
  const nameOf = (metric) => (metric[0] ? metric[0] + "." : "") + metric[1];
  const inputMetrics = data.metrics.filter(isInput);
  const castMetrics = data.metrics.filter((metric) => !isInput(metric));
  const placeOf = new Map(castMetrics.map((metric, place) => [nameOf(metric), place]));
  const inputPlaceOf = new Map(inputMetrics.map((metric, place) => [metric[1], place]));

  const figuresOf = (owner, name) => (owner.split ??= owner[name].split("|"));
  const figure = (cast, name) => figuresOf(cast, "figures")[placeOf.get(name)] || "";
  const inputFigure = (tensor, name) => figuresOf(tensor, "input")[inputPlaceOf.get(name)] || "";
  const number = (text) =>
    text === "" ? NaN : text === "inf" ? Infinity : text === "-inf" ? -Infinity : Number(text.replaceAll(",", ""));
  const count = (value) => value.toLocaleString("en-US");
  function share(part, whole) {
    const percent = (100 * part) / whole;
    if (part === 0 || part === whole) return percent + " %";
    return percent < 0.01 ? "<0.01 %" : percent > 99.99 ? ">99.99 %" : percent.toFixed(2) + " %";
  }
  const power = (exponent) => "2^" + exponent;
  // The same with the exponent raised.
  const raised = (exponent) => ["2", svg("tspan", { class: "exponent", dy: -4 }, String(exponent))];

  // Charts: bars over binades in a box of WIDTH by HEIGHT; their heights are logarithms.

  const WIDTH = 400, TOP = 18, BASE = 130, LEFT = 6, RIGHT = 6;

  function chart(height, title, ...children) {
    return svg("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": title }, svg("title", {}, title), ...children);
  }
  function scaleOf(first, end) {
    const unit = (WIDTH - LEFT - RIGHT) / (end - first);
    return (k) => LEFT + (Math.min(Math.max(k, first), end) - first) * unit;
  }
  function bar(x, from, to, value, most, kind, title) {
    const height = value ? Math.max(2, ((BASE - TOP) * Math.log(value + 1)) / Math.log(most + 1)) : 0;
    const width = Math.max(x(to) - x(from) - 0.8, 0.6);
    return svg("rect", { class: "bar " + kind, x: x(from).toFixed(1), y: (BASE - height).toFixed(1), width: width.toFixed(1), height: height.toFixed(1) },
      svg("title", {}, title));
  }
  function ticks(x, first, end, words) {
    let step = 1;
    while ((end - first) / step > 7) step *= 2;
    const out = [svg("line", { class: "axis", x1: LEFT, x2: WIDTH - RIGHT, y1: BASE + 0.5, y2: BASE + 0.5 })];
    for (let k = Math.ceil(first / step) * step; k < end; k += step)
      if (!words.some((at) => Math.abs(x(at) - x(k)) < 36)) out.push(tick(x, k));
    return out;
  }
  function tick(x, k) {
    const anchor = x(k) < LEFT + 10 ? "start" : x(k) > WIDTH - RIGHT - 14 ? "end" : "middle";
    return svg("text", { x: x(k).toFixed(1), y: BASE + 15, "text-anchor": anchor }, ...raised(k));
  }
  const mostOf = (histogram, least) => histogram.slice(1).reduce((most, value) => Math.max(most, value), least);

  // Where a format has its limits, in binades; undefined where the scale varies.
  function limitsOf(format, cast) {
    if (cast.scale === null) return undefined;
    const scale = cast.scale || 0;
    return {
      subnormal: format.emin - format.precision + 1 - scale,
      normal: format.emin - scale,
      overflow: format.emax + 1 - scale,
    };
  }

  function exponentChart(tensor, format, cast) {
    const histogram = tensor.exponents, first = histogram[0] - 2, end = histogram[0] + histogram.length + 1;
    if (histogram.length === 1) return html("p", { class: "note" }, "no finite element other than zero");
    const x = scaleOf(first, end), limits = limitsOf(format, cast), most = mostOf(histogram, 1);
    const parts = [], words = [];
    if (limits) {
      const zones = [
        ["under", "flushed to zero", first, limits.subnormal],
        ["subnormal", "subnormal", limits.subnormal, limits.normal],
        ["", "normal", limits.normal, limits.overflow],
        ["over", "overflow", limits.overflow, end],
      ];
      for (const [kind, word, from, to] of zones) {
        const left = x(from), width = x(to) - left;
        if (width <= 0) continue;
        if (kind) parts.push(svg("rect", { class: "zone " + kind, x: left.toFixed(1), y: 0, width: width.toFixed(1), height: BASE }));
        if (width > word.length * 6)
          parts.push(svg("text", { x: (left + width / 2).toFixed(1), y: 11, "text-anchor": "middle" }, word));
        if (from > first && from < end) {
          parts.push(svg("line", { class: "limit", x1: left.toFixed(1), x2: left.toFixed(1), y1: 0, y2: BASE }));
          if (words.every((at) => Math.abs(x(at) - left) > 36)) {
            words.push(from);
            parts.push(tick(x, from));
          }
        }
      }
    }
    const kindOf = (k) => (!limits || (k >= limits.normal && k < limits.overflow) ? "" : k < limits.normal && k >= limits.subnormal ? "warn" : "bad");
    for (let i = 1; i < histogram.length; i++) {
      const k = histogram[0] + i - 1;
      if (histogram[i])
        parts.push(bar(x, k, k + 1, histogram[i], most, kindOf(k),
          `${power(k)} ≤ |x| < ${power(k + 1)}: ${count(histogram[i])} elements, ${share(histogram[i], tensor.elements)}`));
    }
    let height = BASE + 20;
    if (cast.frozen !== undefined && cast.frozen < end) {
      // Subnormal numbers are as far apart as the smallest normal ones.
      const all = limits && cast.frozen <= limits.normal, left = x(all ? first : cast.frozen);
      height += 24;
      parts.push(svg("path", { class: "lost", d: `M${left.toFixed(1)} ${BASE + 20}v5H${WIDTH - RIGHT}v-5` }),
        svg("text", { x: WIDTH - RIGHT, y: BASE + 38, "text-anchor": "end" },
          ...(all ? ["no element can move"] : ["from ", ...raised(cast.frozen), svg("tspan", { dy: 4 }, " on no element can move")])));
    }
    return chart(height, `Magnitudes of the elements against the range of ${format.name}`, ...parts, ...ticks(x, first, end, words));
  }

  function errorChart(tensor, format, cast) {
    const histogram = cast.errors;
    if (histogram.length === 1) return html("p", { class: "note" }, "no error: every finite element other than zero is exact");
    const end = Math.max(histogram[0] + histogram.length, 2 - format.precision), first = histogram[0] - 4;
    const x = scaleOf(first, end), most = mostOf(histogram, cast.exact), parts = [];
    const words = [first + 1.5];
    parts.push(bar(x, first + 0.4, first + 2.6, cast.exact, most, "exact", `exact: ${count(cast.exact)} elements, ${share(cast.exact, tensor.elements)}`),
      svg("text", { x: x(first + 1.5).toFixed(1), y: BASE + 15, "text-anchor": "middle" }, "exact"));
    const bound = x(1 - format.precision);
    if (1 - format.precision > first) {
      const right = bound > WIDTH - 180;
      parts.push(svg("line", { class: "limit", x1: bound.toFixed(1), x2: bound.toFixed(1), y1: 0, y2: BASE }),
        svg("text", { x: (right ? bound - 3 : bound + 3).toFixed(1), y: 11, "text-anchor": right ? "end" : "start" },
          "normal numbers stay below ", ...raised(1 - format.precision)));
    }
    for (let i = 1; i < histogram.length; i++) {
      const k = histogram[0] + i - 1;
      if (histogram[i])
        parts.push(bar(x, k, k + 1, histogram[i], most, k >= 0 ? "bad" : k > -format.precision ? "warn" : "",
          `${power(k)} ≤ |e|/|x| < ${power(k + 1)}: ${count(histogram[i])} elements, ${share(histogram[i], tensor.elements)}`));
    }
    return chart(BASE + 20, `Relative errors in ${format.name}`, ...parts, ...ticks(x, first + 3, end, words));
  }

  // Every element is of one class: their shares side by side.
  function classChart(tensor, format, cast) {
    const classes = ["nan", "inf", "overflow", "normal", "subnormal", "underflow", "zero"].map((name) => [name, number(figure(cast, name))]);
    const told = classes.filter(([, value]) => value).map(([name, value]) => `${name} ${share(value, tensor.elements)}`).join(", ");
    let at = 0;
    const parts = classes.filter(([, value]) => value).map(([name, value]) => {
      const width = (WIDTH * value) / tensor.elements;
      const part = svg("rect", { class: "part " + name, x: at.toFixed(2), y: 0, width: Math.max(width - 0.6, 0.5).toFixed(2), height: 10 },
        svg("title", {}, `${name}: ${count(value)} elements, ${share(value, tensor.elements)}`));
      at += width;
      return part;
    });
    return html("div", {}, chart(10, `Classes of the elements in ${format.name}: ${told}`, ...parts), html("p", { class: "note" }, told));
  }

  // How large an update must be to move that share of the weights.
  function updateChart(format, cast) {
    const points = [50, 90, 99, 100].map((part) => [part, number(figure(cast, "update.smallest_surviving.p" + part))])
      .filter(([, value]) => value > 0 && value < Infinity);
    const update = Math.abs(data.update);
    if (!points.length) return undefined;
    const logs = points.map(([, value]) => Math.log10(value)).concat(update ? Math.log10(update) : []);
    const first = Math.floor(Math.min(...logs) - 0.3), end = Math.ceil(Math.max(...logs) + 0.3);
    const all = scaleOf(first, end), rows = points.length * 17 + 14, left = 76, parts = [];
    const x = (value) => left + (all(Math.log10(value)) - LEFT) * (WIDTH - RIGHT - left) / (WIDTH - RIGHT - LEFT);
    if (update) {
      const at = x(update);
      parts.push(svg("line", { class: "lost", x1: at.toFixed(1), x2: at.toFixed(1), y1: 13, y2: rows }),
        svg("text", { x: at.toFixed(1), y: 9, "text-anchor": at < left + 40 ? "start" : at > WIDTH - 50 ? "end" : "middle" }, "the update: " + data.update));
    }
    points.forEach(([part, value], row) => {
      const at = x(value), y = 23 + row * 17, right = at > (left + WIDTH) / 2;
      parts.push(svg("text", { x: 0, y: y + 4 }, `to move ${part} %`),
        svg("line", { class: "axis", x1: left, x2: WIDTH - RIGHT, y1: y, y2: y }),
        svg("circle", { class: "dot", cx: at.toFixed(1), cy: y, r: 4.5 }),
        svg("text", { class: "halo", x: (right ? at - 8 : at + 8).toFixed(1), y: y + 4, "text-anchor": right ? "end" : "start" },
          "above " + figure(cast, "update.smallest_surviving.p" + part)));
    });
    return chart(rows + 4, `How large an update must be to move weights in ${format.name}`, ...parts);
  }

  // Of updates and moving averages: what arrives and what is lost.
  function lossChart(format, cast, group, word) {
    const all = number(figure(cast, group + ".count")), lost = number(figure(cast, group + ".lost"));
    if (!all) return undefined;
    const told = `${share(lost, all)} ${word}`, width = (WIDTH * lost) / all;
    return html("div", {},
      chart(10, `${told} in ${format.name}`,
        svg("rect", { class: "part normal", x: width.toFixed(2), y: 0, width: (WIDTH - width).toFixed(2), height: 10 }),
        svg("rect", { class: "part overflow", x: 0, y: 0, width: width.toFixed(2), height: 10 })),
      html("p", { class: "note" }, told));
  }

  function pictures(tensor, format, cast) {
    const out = [];
    const add = (title, ...nodes) => {
      if (nodes.some((node) => node)) out.push(html("h4", {}, title), ...nodes.filter((node) => node));
    };
    if (!tensor.elements) return out;
    add("What becomes of the elements", classChart(tensor, format, cast));
    add("Updates", lossChart(format, cast, "update", "of the updates are lost"));
    add("How large an update must be", updateChart(format, cast));
    add("Moving averages", lossChart(format, cast, "ema", "of the averages are stuck"));
    add("Magnitudes against the range of the format (log)", exponentChart(tensor, format, cast));
    add("Relative errors (log)", errorChart(tensor, format, cast));
    return out;
  }

  // What opens below a row.

  function figureTable(tensor) {
    const wide = (cell) => html("td", { class: "number", "data-title": "input" }, cell || "–");
    const inputs = html("table", { class: "figures cards" }, html("caption", {}, "Input"), html("tbody", {},
      ...inputMetrics.map((metric, place) => html("tr", {}, html("th", { scope: "row", title: metric[2] }, html("code", {}, nameOf(metric))),
        wide(figuresOf(tensor, "input")[place])))));
    const casts = html("table", { class: "figures cards" }, html("caption", {}, "Casts"),
      html("thead", {}, html("tr", {}, html("th", { scope: "col" }, "figure"),
        ...formats.map((format) => html("th", { scope: "col", class: "number" }, format.name)))),
      html("tbody", {}, ...castMetrics.map((metric, place) => html("tr", {},
        html("th", { scope: "row", title: metric[2] }, html("code", {}, nameOf(metric))),
        ...tensor.casts.map((cast, c) => html("td", { class: "number", "data-title": formats[c].name }, figuresOf(cast, "figures")[place] || "–"))))));
    return html("details", {}, html("summary", {}, "Every figure"), inputs, casts);
  }

  // Inks and sentences in turn; of phrases that are said often, their place in a list.
  function facts(cast) {
    const items = [];
    for (let i = 0; i < cast.facts.length; i += 2) {
      const said = cast.facts[i + 1];
      items.push(html("li", { class: data.inks[cast.facts[i]] }, typeof said === "number" ? data.phrases[said] : said));
    }
    return items;
  }

  function details(tensor) {
    const what = `${tensor.file}, ${tensor.dtype}, shape ${tensor.shape}, ${count(tensor.elements)} elements`;
    const head = html("p", { class: "head" }, what);
    if (!tensor.exponents)
      return [head, html("p", { class: "note" },
        `Pictures are kept for the first ${count(data.detailed)} tensors; --select with this name has them.`), figureTable(tensor)];
    return [head, html("div", { class: "facts" }, ...tensor.casts.map((cast, c) =>
      html("article", {}, html("h3", {}, formats[c].name),
        html("ul", {}, ...facts(cast)),
        ...pictures(tensor, formats[c], cast)))), figureTable(tensor)];
  }

  // Lines may break after dots, dashes and slashes.
  const broken = (name) => name.split(/(?<=[._/-])/).flatMap((part) => [part, html("wbr")]);

  // The table.

  const table = document.getElementById("table");
  const state = { words: "", trouble: false, figure: "", column: -1, descending: false, limit: PAGE, open: new Set() };

  // Columns: the name, three of the tensor, then the formats.
  const FIXED = [
    { value: (tensor) => tensor.name, text: (tensor) => tensor.name },
    { value: (tensor) => tensor.elements, text: (tensor) => count(tensor.elements) },
    { value: (tensor) => number(inputFigure(tensor, "min_abs")), text: (tensor) => inputFigure(tensor, "min_abs") || "–" },
    { value: (tensor) => number(inputFigure(tensor, "max_abs")), text: (tensor) => inputFigure(tensor, "max_abs") || "–" },
  ];
  const TITLES = ["tensor", "elements", "smallest", "largest"];

  // By how it fares, the worst is first in ascending order.
  function valueOf(tensor, column) {
    if (column < FIXED.length) return FIXED[column].value(tensor);
    const cast = tensor.casts[column - FIXED.length];
    return state.figure ? number(figure(cast, state.figure)) : cast.rank;
  }

  function compare(a, b) {
    const one = valueOf(a, state.column), other = valueOf(b, state.column);
    if (one === other) return 0;
    if (Number.isNaN(one) || Number.isNaN(other)) return Number.isNaN(one) - Number.isNaN(other);
    return (one < other ? -1 : 1) * (state.descending ? -1 : 1);
  }

  function chosen() {
    const words = state.words.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (tensor) => {
      const text = `${tensor.name} ${tensor.file} ${tensor.dtype}`.toLowerCase();
      return words.every((word) => text.includes(word)) &&
        (!state.trouble || tensor.casts.some((cast) => ["bad", "warn"].includes(data.inks[cast.ink])));
    };
    const found = data.tensors.filter(fits);
    return state.column < 0 ? found : found.sort(compare);
  }

  function castCell(tensor, c) {
    const cast = tensor.casts[c], title = { "data-title": formats[c].name };
    return state.figure
      ? html("td", { class: "number", ...title }, figure(cast, state.figure) || "–")
      : html("td", { class: "standing " + data.inks[cast.ink], ...title }, cast.standing);
  }

  function detailRow(tensor) {
    return html("tr", { class: "detail", id: "d" + tensor.id }, html("td", { colspan: FIXED.length + formats.length }, ...details(tensor)));
  }

  function row(tensor) {
    const open = state.open.has(tensor.id);
    const button = html("button", { type: "button", class: "name", "aria-expanded": String(open), on: { click: () => toggle(tensor, line, button) } }, ...broken(tensor.name));
    const line = html("tr", { id: "t" + tensor.id }, html("th", { scope: "row" }, button),
      ...FIXED.slice(1).map((column, i) => html("td", { class: "number", "data-title": TITLES[i + 1] }, column.text(tensor))),
      ...formats.map((_, c) => castCell(tensor, c)));
    return open ? [line, detailRow(tensor)] : [line];
  }

  function toggle(tensor, line, button) {
    const open = !state.open.has(tensor.id);
    button.setAttribute("aria-expanded", String(open));
    if (open) {
      state.open.add(tensor.id);
      line.after(detailRow(tensor));
    } else {
      state.open.delete(tensor.id);
      line.nextElementSibling.remove();
    }
  }

  let told, more;

  function draw() {
    const found = chosen(), shown = found.slice(0, state.limit);
    table.tBodies[0].replaceChildren(...shown.flatMap(row));
    told.textContent = found.length === data.tensors.length ? `${count(found.length)} tensors` : `${count(found.length)} of ${count(data.tensors.length)} tensors`;
    more.hidden = shown.length === found.length;
    more.textContent = `Show ${count(Math.min(PAGE, found.length - shown.length))} more of ${count(found.length - shown.length)}`;
    [...table.tHead.rows[0].cells].forEach((cell, column) => {
      if (column === state.column) cell.setAttribute("aria-sort", state.descending ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    });
  }

  // Numbers begin with the largest; names, and how tensors fare, as they come.
  function sortBy(column) {
    const down = column > 0 && (column < FIXED.length || state.figure !== "");
    state.descending = state.column === column ? !state.descending : down;
    state.column = column;
    draw();
  }

  function change(what) {
    Object.assign(state, what, { limit: PAGE });
    draw();
  }

  function controls() {
    const choices = castMetrics.filter((metric) => !metric[3]).map((metric) =>
      html("option", { value: nameOf(metric) }, metric[2] ? `${nameOf(metric)}: ${metric[2]}` : nameOf(metric)));
    told = html("output", { "aria-live": "polite" });
    more = html("button", { type: "button", class: "more", on: { click: () => { state.limit += PAGE; draw(); } } });
    document.getElementById("controls").append(html("div", { class: "controls", role: "search" },
      html("label", {}, "Filter by name, file or type", html("input", { type: "search", id: "filter", autocomplete: "off", spellcheck: "false",
        on: { input: (event) => change({ words: event.target.value }) } })),
      html("label", {}, "Show in each format", html("select", { id: "figure", on: { change: (event) => change({ figure: event.target.value }) } },
        html("option", { value: "" }, "what is worst, else the SQNR"), ...choices)),
      html("label", { class: "check" }, html("input", { type: "checkbox", id: "trouble", on: { change: (event) => change({ trouble: event.target.checked }) } }),
        "only tensors in trouble"), told));
    table.parentElement.after(more);
    [...table.tHead.rows[0].cells].forEach((cell, column) =>
      cell.replaceChildren(html("button", { type: "button", on: { click: () => sortBy(column) } }, cell.textContent)));
    document.getElementById("rest")?.remove();
  }

  // A link to a tensor opens it, whatever is filtered.
  function visit() {
    const id = /^#t(\d+)$/.exec(location.hash)?.[1];
    const tensor = id && data.tensors.find((one) => one.id === Number(id));
    if (!tensor || !table) return;
    const found = chosen();
    if (!found.includes(tensor)) {
      Object.assign(state, { words: "", trouble: false });
      document.getElementById("filter").value = "";
      document.getElementById("trouble").checked = false;
    }
    state.limit = Math.max(state.limit, chosen().indexOf(tensor) + 1);
    state.open.add(tensor.id);
    draw();
    const line = document.getElementById("t" + id);
    line.scrollIntoView();
    line.querySelector("button").focus({ preventScroll: true });
  }

  document.querySelectorAll("#facts article").forEach((article, c) =>
    article.append(...pictures(data.total, formats[c], data.total.casts[c])));
  if (table) {
    controls();
    draw();
  }
  visit();
  addEventListener("hashchange", visit);
})();
