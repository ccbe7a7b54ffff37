// The table of tensors: what is in its rows, which of them are shown and in which order, and what
// opens below one.

const PAGE = 50; // rows that are shown at first, and that a button adds

const table = document.getElementById("table");
const state = { words: "", trouble: false, figure: "", column: -1, descending: false, limit: PAGE };
const opened = new Set(); // the ids of the tensors

let file; // it is told only where it is another one than that of the tensor before
for (const tensor of data.tensors) file = tensor.file ??= file;

function on(element, event, hear) {
  element.addEventListener(event, hear);
  return element;
}

// Lines may break after dots, dashes and slashes.
const broken = (name) => name.split(/(?<=[._/-])/).flatMap((part) => [part, html("wbr", {})]);

const cell = (title, kind, text) => html("td", { class: kind, "data-title": title }, text || "–");

// What opens below a row.

function figureRow(metric, titles, texts) {
  return html("tr", {},
    html("th", { scope: "row", title: metric[2] }, html("code", {}, nameOf(metric))),
    ...texts.map((text, i) => cell(titles[i], "number", text)));
}

function figureTable(caption, metrics, titles, figures) {
  const heads = titles.map((title) => html("th", { scope: "col", class: "number" }, title));
  return html("table", { class: "figures cards" }, html("caption", {}, caption),
    html("thead", {}, html("tr", {}, html("th", { scope: "col" }, "figure"), ...heads)),
    html("tbody", {}, ...metrics.map((metric, place) =>
      figureRow(metric, titles, figures.map((all) => all[place])))));
}

function everyFigure(tensor) {
  return html("details", {}, html("summary", {}, "Every figure"),
    figureTable("Input", inputMetrics, ["value"], [inputFigures(tensor)]),
    figureTable("Casts", castMetrics, formats.map((format) => format.name),
      tensor.casts.map(castFigures)));
}

// Inks and sentences in turn; of phrases that are said often, their place in a list.
function facts(cast) {
  const items = [];
  for (let i = 0; i < cast.facts.length; i += 2) {
    const said = cast.facts[i + 1], text = typeof said === "number" ? data.phrases[said] : said;
    items.push(html("li", { class: data.inks[cast.facts[i]] }, text));
  }
  return html("ul", {}, ...items);
}

function castDetails(tensor, c) {
  const cast = tensor.casts[c];
  return html("article", {}, html("h3", {}, formats[c].name), facts(cast),
    ...pictures(tensor, formats[c], cast));
}

function details(tensor) {
  const size = `shape ${tensor.shape}, ${counted(tensor.elements)} elements`;
  const drawn = tensor.exponents
    ? html("div", { class: "facts" }, ...formats.map((_, c) => castDetails(tensor, c)))
    : note(`The page has pictures of the first ${counted(data.detailed)} tensors; ` +
        "with --select and this name it has them of this one.");
  return [html("p", {}, `${tensor.file}, ${tensor.dtype}, ${size}`), drawn, everyFigure(tensor)];
}

// Rows. The columns are the name, three of the tensor, and then the formats.

const fixedColumns = [
  { title: "tensor", value: (tensor) => tensor.name },
  {
    title: "elements",
    value: (tensor) => tensor.elements,
    text: (tensor) => counted(tensor.elements),
  },
  ...[["smallest", "min_abs"], ["largest", "max_abs"]].map(([title, name]) => ({
    title,
    value: (tensor) => numberOf(inputFigure(tensor, name)),
    text: (tensor) => inputFigure(tensor, name),
  })),
];

function castCell(tensor, c) {
  const cast = tensor.casts[c], name = formats[c].name;
  if (state.figure) return cell(name, "number", castFigure(cast, state.figure));
  return cell(name, "standing " + data.inks[cast.ink], cast.standing);
}

function detailRow(tensor) {
  const span = { colspan: fixedColumns.length + formats.length };
  return html("tr", { class: "detail" }, html("td", span, ...details(tensor)));
}

function toggle(tensor, row, button) {
  const open = !opened.has(tensor.id);
  button.setAttribute("aria-expanded", open);
  if (open) {
    opened.add(tensor.id);
    row.after(detailRow(tensor));
  } else {
    opened.delete(tensor.id);
    row.nextElementSibling.remove();
  }
}

// One, or two where it is open.
function rowsOf(tensor) {
  const open = opened.has(tensor.id);
  const button = html("button", { type: "button", class: "name", "aria-expanded": open },
    ...broken(tensor.name));
  const row = html("tr", { id: "t" + tensor.id }, html("th", { scope: "row" }, button),
    ...fixedColumns.slice(1).map((column) => cell(column.title, "number", column.text(tensor))),
    ...formats.map((_, c) => castCell(tensor, c)));
  on(button, "click", () => toggle(tensor, row, button));
  return open ? [row, detailRow(tensor)] : [row];
}

// Which tensors, and in which order.

// How a tensor fares is told by its rank: the worst is first.
function valueOf(tensor, column) {
  if (column < fixedColumns.length) return fixedColumns[column].value(tensor);
  const cast = tensor.casts[column - fixedColumns.length];
  return state.figure ? numberOf(castFigure(cast, state.figure)) : cast.rank;
}

// What has no value comes last.
function compare(a, b) {
  const one = valueOf(a, state.column), other = valueOf(b, state.column);
  if (Number.isNaN(one) || Number.isNaN(other)) return Number.isNaN(one) - Number.isNaN(other);
  if (one === other) return 0;
  return one < other === state.descending ? 1 : -1;
}

function isInTrouble(tensor) {
  return tensor.casts.some((cast) => ["bad", "warn"].includes(data.inks[cast.ink]));
}

function chosen() {
  const words = state.words.toLowerCase().split(/\s+/);
  const found = data.tensors.filter((tensor) => {
    const text = `${tensor.name} ${tensor.file} ${tensor.dtype}`.toLowerCase();
    return words.every((word) => text.includes(word)) && (!state.trouble || isInTrouble(tensor));
  });
  return state.column < 0 ? found : found.sort(compare);
}

// What the reader does.

const told = html("output", { "aria-live": "polite" });
const more = on(html("button", { type: "button", class: "more" }), "click", () => {
  state.limit += PAGE;
  draw();
});

function tellOrder() {
  [...table.tHead.rows[0].cells].forEach((title, column) => {
    title.removeAttribute("aria-sort");
    if (column === state.column)
      title.setAttribute("aria-sort", state.descending ? "descending" : "ascending");
  });
}

function draw() {
  const found = chosen(), shown = found.slice(0, state.limit), rest = found.length - shown.length;
  const of = found.length < data.tensors.length ? `of ${counted(data.tensors.length)} ` : "";
  table.tBodies[0].replaceChildren(...shown.flatMap(rowsOf));
  told.textContent = `${counted(found.length)} ${of}tensors`;
  more.hidden = !rest;
  more.textContent = `Show ${counted(Math.min(PAGE, rest))} of ${counted(rest)} more`;
  tellOrder();
}

function change(what) {
  Object.assign(state, what, { limit: PAGE });
  draw();
}

// Numbers begin with the largest; names, and how tensors fare, as they come.
function sortBy(column) {
  const isNumber = column > 0 && (column < fixedColumns.length || state.figure !== "");
  const descending = state.column === column ? !state.descending : isNumber;
  change({ column, descending });
}

function figureChoices() {
  const options = castMetrics.filter((metric) => !metric[3]).map((metric) => {
    const help = metric[2] ? ": " + metric[2] : "";
    return html("option", { value: nameOf(metric) }, nameOf(metric) + help);
  });
  return [html("option", { value: "" }, "what is worst, else the SQNR"), ...options];
}

function addControls() {
  const search = { type: "search", id: "filter", autocomplete: "off", spellcheck: false };
  const filter = html("input", search);
  const figure = html("select", { id: "figure" }, ...figureChoices());
  const trouble = html("input", { type: "checkbox", id: "trouble" });
  on(filter, "input", () => change({ words: filter.value }));
  on(figure, "change", () => change({ figure: figure.value }));
  on(trouble, "change", () => change({ trouble: trouble.checked }));
  document.getElementById("controls").append(html("div", { class: "controls", role: "search" },
    html("label", {}, "Filter by name, file or type", filter),
    html("label", {}, "Show in each format", figure),
    html("label", { class: "check" }, trouble, "only tensors in trouble"), told));
  table.parentElement.after(more);
}

function addSorting() {
  [...table.tHead.rows[0].cells].forEach((title, column) => {
    const button = html("button", { type: "button" }, title.textContent);
    title.replaceChildren(on(button, "click", () => sortBy(column)));
  });
}

// A link to a tensor opens it, whatever is filtered.
function visit() {
  const id = Number(/^#t(\d+)$/.exec(location.hash)?.[1]);
  const tensor = data.tensors.find((one) => one.id === id);
  if (!tensor || !table) return;
  if (!chosen().includes(tensor)) {
    Object.assign(state, { words: "", trouble: false });
    document.getElementById("filter").value = "";
    document.getElementById("trouble").checked = false;
  }
  state.limit = Math.max(state.limit, chosen().indexOf(tensor) + 1);
  opened.add(id);
  draw();
  const row = document.getElementById("t" + id);
  row.scrollIntoView();
  row.querySelector("button").focus({ preventScroll: true });
}

document.querySelectorAll("#facts article").forEach((article, c) =>
  article.append(...pictures(data.total, formats[c], data.total.casts[c])));
if (table) {
  addControls();
  addSorting();
  draw();
  document.getElementById("rest")?.remove();
}
visit();
addEventListener("hashchange", visit);
