"use strict";
// Reads the data of the page, and draws the pictures of a tensor in a format.

const data = JSON.parse(document.getElementById("data").textContent);
const formats = data.formats;

// Elements. What comes from the data is only ever text.

function build(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

function html(tag, attributes, ...children) {
  return build(document.createElement(tag), attributes, children);
}

function svg(tag, attributes, ...children) {
  return build(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

const note = (text) => html("p", { class: "note" }, text);

// Figures: each tensor, and each of its casts, has them in one string, in the order of the metrics.

const isOfInput = (metric) => metric[0] === "input";
const nameOf = (metric) => (metric[0] ? metric[0] + "." : "") + metric[1];
const inputMetrics = data.metrics.filter(isOfInput);
const castMetrics = data.metrics.filter((metric) => !isOfInput(metric));
const inputPlaces = new Map(inputMetrics.map((metric, place) => [metric[1], place]));
const castPlaces = new Map(castMetrics.map((metric, place) => [nameOf(metric), place]));

const inputFigures = (tensor) => (tensor.split ??= tensor.input.split("|"));
const castFigures = (cast) => (cast.split ??= cast.figures.split("|"));
const inputFigure = (tensor, name) => inputFigures(tensor)[inputPlaces.get(name)] || "";
const castFigure = (cast, name) => castFigures(cast)[castPlaces.get(name)] || "";

// NaN where there is none.
function numberOf(text) {
  if (text === "inf" || text === "-inf") return text === "inf" ? Infinity : -Infinity;
  return text === "" ? NaN : Number(text.replaceAll(",", ""));
}

const counted = (count) => count.toLocaleString("en-US");

function shareOf(part, whole) {
  const percent = (100 * part) / whole;
  if (part === 0 || part === whole) return percent + " %";
  if (percent < 0.01) return "<0.01 %";
  return percent > 99.99 ? ">99.99 %" : percent.toFixed(2) + " %";
}

const elementsAndShare = (count, tensor) =>
  `${counted(count)} elements, ${shareOf(count, tensor.elements)}`;

// A power of two, in plain text and with the exponent raised.
const power = (exponent) => "2^" + exponent;
const raised = (exponent) => ["2", svg("tspan", { class: "exponent", dy: -4 }, String(exponent))];

// Parts of charts, which are WIDTH units wide; the bars stand on BASE.

const WIDTH = 400, EDGE = 6, TOP = 18, BASE = 130;
const WORD = 36; // that a power of two takes
const LETTER = 6;

const fixed = (number) => Number(number.toFixed(2));

function rect(kind, x, y, width, height, title) {
  const box = { class: kind, x: fixed(x), y: fixed(y), width: fixed(width), height: fixed(height) };
  return svg("rect", box, title && svg("title", {}, title));
}

function line(kind, x1, y1, x2, y2) {
  return svg("line", { class: kind, x1: fixed(x1), y1: fixed(y1), x2: fixed(x2), y2: fixed(y2) });
}

function label(x, y, anchor, ...words) {
  return svg("text", { x: fixed(x), y: fixed(y), "text-anchor": anchor }, ...words);
}

function chart(height, title, parts) {
  const viewBox = `0 0 ${WIDTH} ${height}`;
  const box = { class: "chart", viewBox, role: "img", "aria-label": title };
  return svg("svg", box, svg("title", {}, title), ...parts);
}

// Where a number from first to end stands between two edges.
function scaleOf(first, end, left = EDGE, right = WIDTH - EDGE) {
  const unit = (right - left) / (end - first);
  return (at) => left + (Math.min(Math.max(at, first), end) - first) * unit;
}

// Heights are logarithms, so that the few that are harmed are seen beside the many.
function bar(x, from, to, count, most, kind, title) {
  const height = Math.max(2, ((BASE - TOP) * Math.log(count + 1)) / Math.log(most + 1));
  const width = Math.max(x(to) - x(from) - 0.8, 0.6);
  return count ? rect("bar " + kind, x(from), BASE - height, width, height, title) : undefined;
}

// A histogram is its first binade and the counts from there on: [binade, count] of each.
const binsOf = (histogram) => histogram.slice(1).map((count, i) => [histogram[0] + i, count]);
const mostOf = (histogram, least) => histogram.slice(1).reduce((a, b) => Math.max(a, b), least);

function tick(x, k) {
  const at = x(k), anchor = at < EDGE + 10 ? "start" : at > WIDTH - EDGE - 14 ? "end" : "middle";
  return label(at, BASE + 15, anchor, ...raised(k));
}

// Powers of two at even distances, but for where there are words already.
function axis(x, first, end, words) {
  const isFree = (k) => words.every((at) => Math.abs(x(at) - x(k)) >= WORD);
  const parts = [line("axis", EDGE, BASE + 0.5, WIDTH - EDGE, BASE + 0.5)];
  let step = 1;
  while ((end - first) / step > 7) step *= 2;
  for (let k = Math.ceil(first / step) * step; k < end; k += step)
    if (isFree(k)) parts.push(tick(x, k));
  return parts;
}

// The magnitudes, and what the format makes of them.

// From the bottom up: [class, word, class of the bars, first binade]; where the scale varies it is
// not known.
function zonesOf(format, cast, first) {
  const scale = cast.scale ?? 0;
  if (cast.scale === null) return [["", "", "", first]];
  return [
    ["under", "flushed to zero", "bad", first],
    ["subnormal", "subnormal", "warn", format.emin - format.precision + 1 - scale],
    ["", "normal", "", format.emin - scale],
    ["over", "overflow", "bad", format.emax + 1 - scale],
  ];
}

function drawZone(x, [kind, word, , from], to) {
  const left = x(from), width = x(to) - left, parts = [];
  if (width <= 0) return parts;
  if (kind) parts.push(rect("zone " + kind, left, 0, width, BASE));
  if (width > word.length * LETTER) parts.push(label(left + width / 2, 11, "middle", word));
  return parts;
}

// The limits that lie within the picture, and those of them that have room for their words.
function drawLimits(x, zones, first, end) {
  const parts = [], words = [];
  for (const from of zones.map((zone) => zone[3]).filter((k) => k > first && k < end)) {
    parts.push(line("limit", x(from), 0, x(from), BASE));
    if (words.some((at) => Math.abs(x(at) - x(from)) < WORD)) continue;
    words.push(from);
    parts.push(tick(x, from));
  }
  return [parts, words];
}

// Below the axis, a bracket over what the updates leave where it is. Subnormal numbers are as far
// apart as the smallest normal ones: what cannot move those moves nothing.
function drawFrozen(x, format, cast, first, end) {
  if (cast.frozen === undefined || cast.frozen >= end) return [];
  const all = cast.frozen <= format.emin - (cast.scale ?? 0);
  const left = fixed(x(all ? first : cast.frozen));
  const words = all ? [] : ["from ", ...raised(cast.frozen), svg("tspan", { dy: 4 }, " on ")];
  return [
    svg("path", { class: "lost", d: `M${left} ${BASE + 20}v5H${WIDTH - EDGE}v-5` }),
    label(WIDTH - EDGE, BASE + 38, "end", ...words, "no element can move"),
  ];
}

function exponentChart(tensor, format, cast) {
  const bins = binsOf(tensor.exponents);
  if (!bins.length) return note("no finite element other than zero");
  const first = bins[0][0] - 2, end = bins.at(-1)[0] + 3, x = scaleOf(first, end);
  const zones = zonesOf(format, cast, first), most = mostOf(tensor.exponents, 1);
  const kindOf = (k) => zones.findLast((zone) => k >= zone[3])?.[2] ?? "";
  const [limits, words] = drawLimits(x, zones, first, end);
  const frozen = drawFrozen(x, format, cast, first, end);
  const bars = bins.map(([k, count]) => bar(x, k, k + 1, count, most, kindOf(k),
    `${power(k)} ≤ |x| < ${power(k + 1)}: ${elementsAndShare(count, tensor)}`));
  return chart(BASE + (frozen.length ? 44 : 20),
    `Magnitudes of the elements against the range of ${format.name}`,
    [...zones.flatMap((zone, i) => drawZone(x, zone, zones[i + 1]?.[3] ?? end)),
      ...limits, ...bars, ...frozen, ...axis(x, first, end, words)]);
}

// The relative errors; no normal number errs by the bound or more, whatever the rounding.

function drawBound(x, bound, first) {
  if (bound <= first) return [];
  const at = x(bound), right = at > WIDTH / 2;
  return [
    line("limit", at, 0, at, BASE),
    label(right ? at - 3 : at + 3, 11, right ? "end" : "start", "normal numbers stay below ",
      ...raised(bound)),
  ];
}

function errorChart(tensor, format, cast) {
  const bins = binsOf(cast.errors), bound = 1 - format.precision;
  if (!bins.length) return note("no error: every finite element other than zero is exact");
  const first = bins[0][0] - 4, end = Math.max(bins.at(-1)[0] + 1, bound + 1);
  const x = scaleOf(first, end), most = mostOf(cast.errors, cast.exact);
  const exact = "exact: " + elementsAndShare(cast.exact, tensor);
  const bars = bins.map(([k, count]) =>
    bar(x, k, k + 1, count, most, k >= 0 ? "bad" : k >= bound ? "warn" : "",
      `${power(k)} ≤ |e|/|x| < ${power(k + 1)}: ${elementsAndShare(count, tensor)}`));
  return chart(BASE + 20, `Relative errors in ${format.name}`,
    [...drawBound(x, bound, first),
      bar(x, first + 0.4, first + 2.6, cast.exact, most, "exact", exact),
      label(x(first + 1.5), BASE + 15, "middle", "exact"), ...bars,
      ...axis(x, first + 3, end, [first + 1.5])]);
}

// Shares of a whole side by side, of [class, count, words], and the same in words.
function shareChart(title, whole, parts) {
  let at = 0;
  const boxes = parts.filter(([, count]) => count).map(([kind, count, words]) => {
    const width = (WIDTH * count) / whole;
    at += width;
    return rect("part " + kind, at - width, 0, Math.max(width - 0.6, 0.5), 10, words);
  });
  const told = parts.filter(([, count, words]) => count && words).map(([, , words]) => words);
  return html("div", {}, chart(10, `${title}: ${told.join(", ")}`, boxes), note(told.join(", ")));
}

// Every element is of one class.
function classChart(tensor, format, cast) {
  const names = ["nan", "inf", "overflow", "normal", "subnormal", "underflow", "zero"];
  const parts = names.map((name) => [name, numberOf(castFigure(cast, name))]);
  return shareChart(`Classes of the elements in ${format.name}`, tensor.elements,
    parts.map(([name, count]) => [name, count, `${name} ${shareOf(count, tensor.elements)}`]));
}

// Of updates or moving averages: what is lost, and what arrives.
function lossChart(format, cast, group, lost, none) {
  const all = numberOf(castFigure(cast, group + ".count"));
  const losses = numberOf(castFigure(cast, group + ".lost"));
  if (!all) return undefined;
  const told = losses ? `${shareOf(losses, all)} ${lost}` : "";
  return shareChart(`Fate in ${format.name}`, all,
    [["lost", losses, told], ["normal", all - losses, losses ? "" : none]]);
}

// How large an update must be to move so many of the elements, beside the one that was asked for.

const SHARES = [50, 90, 99, 100], ROW = 17, ROWS_LEFT = 76;

function drawUpdate(x, update, height) {
  if (!update) return [];
  const at = x(Math.log10(update));
  const anchor = at < ROWS_LEFT + 40 ? "start" : at > WIDTH - 50 ? "end" : "middle";
  return [line("lost", at, 13, at, height), label(at, 9, anchor, "the update: " + data.update)];
}

function drawThreshold(x, [share, text], row) {
  const at = x(Math.log10(numberOf(text))), right = at > (ROWS_LEFT + WIDTH) / 2;
  const y = 23 + row * ROW;
  const words = label(right ? at - 8 : at + 8, y + 4, right ? "end" : "start", "above " + text);
  words.setAttribute("class", "halo");
  return [label(0, y + 4, "start", `to move ${share} %`),
    line("axis", ROWS_LEFT, y, WIDTH - EDGE, y),
    svg("circle", { class: "dot", cx: fixed(at), cy: y, r: 4.5 }), words];
}

function updateChart(format, cast) {
  const update = Math.abs(data.update);
  const thresholds = SHARES
    .map((share) => [share, castFigure(cast, "update.smallest_surviving.p" + share)])
    .filter(([, text]) => numberOf(text) > 0 && numberOf(text) < Infinity);
  if (!thresholds.length) return undefined;
  const logs = thresholds.map(([, text]) => Math.log10(numberOf(text)));
  if (update) logs.push(Math.log10(update));
  const first = Math.floor(Math.min(...logs) - 0.3), end = Math.ceil(Math.max(...logs) + 0.3);
  const x = scaleOf(first, end, ROWS_LEFT);
  const height = thresholds.length * ROW + 14;
  return chart(height + 4, `How large an update must be to move elements in ${format.name}`,
    [...drawUpdate(x, update, height),
      ...thresholds.flatMap((threshold, row) => drawThreshold(x, threshold, row))]);
}

// All of them, with headings; those that there is nothing to draw of are left out.
function pictures(tensor, format, cast) {
  if (!tensor.elements) return [];
  return [
    ["What becomes of the elements", classChart(tensor, format, cast)],
    ["Updates", lossChart(format, cast, "update", "of the updates are lost", "no update is lost")],
    ["How large an update must be", updateChart(format, cast)],
    ["Moving averages",
      lossChart(format, cast, "ema", "of the averages are stuck", "no average is stuck")],
    ["Magnitudes against the range of the format (log)", exponentChart(tensor, format, cast)],
    ["Relative errors (log)", errorChart(tensor, format, cast)],
  ].flatMap(([title, picture]) => (picture ? [html("h4", {}, title), picture] : []));
}
