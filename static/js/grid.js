/**
 * The grid of assessments. Tabulator draws the cells, moves and selects; keys, clipboard, editors and the bar that says
 * where things stand are here. What a cell holds is what the form takes: figures and days as text, truth values, choices
 * by their code.
 */
import { TabulatorFull as Tabulator } from "../vendor/tabulator/tabulator_esm.min.js";
import { tableOf, textOf } from "./cells.js";
import { clashOf, drawField, drawGrade, head, redraw } from "./grid_drawing.js";
import * as grid from "./grid_rows.js";
import { columnOf, columns, fill, inWords, rowOf, rows, say, words } from "./grid_rows.js";
import { send } from "./grid_saving.js";
import { showToast } from "./toast.js";

const box = document.getElementById("grid");
const at = (id) => document.getElementById(id);
const layout = [null, null, ...columns]; // as Tabulator counts them: the customer, the grade, the fields
const FIRST_FIELD = 2;

/* ---- the table */
const WIDTHS = { rate: 116, wan: 152, yes: 108, choice: 164, day: 184, text: 220 };
const ROW_HEIGHT = 30;
const isNarrow = matchMedia("(max-width: 600px)").matches;
const table = new Tabulator(box, {
  data: rows.map(({ line, name }) => ({ line, name })),
  index: "line",
  height: "100%",
  rowHeight: ROW_HEIGHT,
  layout: "fitData",
  columnHeaderVertAlign: "bottom",
  columnDefaults: { headerSort: false, resizable: "header", headerWordWrap: true },
  selectableRange: 1,
  selectableRangeRows: true,
  selectableRangeColumns: true,
  selectableRangeAutoFocus: false,
  editTriggerEvent: "dblclick",
  keybindings: { scrollToStart: false, scrollToEnd: false, scrollPageUp: false, scrollPageDown: false, navNext: false, navPrev: false },
  rowHeader: {
    field: "name", title: say.customer, width: isNarrow ? 128 : 240, frozen: true, headerSort: false, resizable: false,
    cssClass: "grid-name",
  },
  columns: [
    { field: "grade", title: say.grade, width: 116, formatter: drawGrade, cssClass: "grid-fixed" },
    ...columns.map((column) => ({
      field: column.name,
      title: column.label,
      titleFormatter: () => head(column.label, column.unit),
      width: WIDTHS[column.kind],
      formatter: drawField,
      editor: edit,
      cssClass: `grid-${column.kind}`,
    })),
  ],
  rowFormatter: (component) => {
    component.getElement().classList.toggle("is-carried", rowOf.get(component.getData().line).carried);
  },
});
const sheet = () => table.modules.selectRange; // Tabulator gives no other way to move the selection
const holder = () => box.querySelector(".tabulator-tableholder");
const isEditing = () => box.classList.contains("tabulator-editing");

function selection() {
  const [range] = table.getRanges();
  const numbers = (first, last) => Array.from({ length: last - first + 1 }, (_none, step) => first + step);
  return {
    rows: numbers(range.getTopEdge(), range.getBottomEdge()).filter((number) => rows[number]),
    columns: numbers(range.getLeftEdge(), range.getRightEdge()),
  };
}

function active() {
  const cell = sheet().getActiveCell()?.getComponent();
  return cell && { cell, row: rowOf.get(cell.getData().line), column: columnOf.get(cell.getField()) };
}

const pageful = () => Math.max(1, Math.floor(holder().clientHeight / ROW_HEIGHT) - 1);
const step = (direction) => sheet().navigate(false, false, direction);

function go(number, place) {
  const component = table.getRows()[Math.max(0, Math.min(number, rows.length - 1))];
  const cell = component.getCells()[place];
  table.getRanges()[0].setBounds(cell, cell);
  if (!component.getElement().isConnected) table.scrollToRow(component, "center", true);
  sheet().autoScroll(sheet().activeRange);
}

/** To the next field, and from the last one to the next row; false at the end of the grid, where the page goes on. */
function stepAcross(isBack) {
  const { start } = sheet().activeRange;
  if (isBack ? start.col > FIRST_FIELD : start.col < layout.length - 1) {
    step(isBack ? "left" : "right");
    return true;
  }
  if (isBack ? start.row === 0 : start.row === rows.length - 1) return false;
  go(start.row + (isBack ? -1 : 1), isBack ? layout.length - 1 : FIRST_FIELD);
  return true;
}

/* ---- changes */
function show(touched) {
  for (const row of touched) {
    const component = table.getRow(row.line);
    if (component) redraw(component, row);
  }
  drawBar();
}

const apply = (changes) => show(grid.type(changes));
const undo = () => show(grid.undo());
const redo = () => show(grid.redo());

/** A value for each selected cell that can be changed. */
function change(valueOf) {
  const chosen = selection();
  const changes = [];
  chosen.rows.forEach((number, down) => chosen.columns.forEach((place, across) => {
    const column = layout[place];
    const value = column && valueOf(rows[number], column, down, across);
    if (column && value !== undefined) changes.push({ row: rows[number], column, value });
  }));
  apply(changes);
}

function fillDown() {
  const chosen = selection();
  const [first] = chosen.rows;
  const above = rows[chosen.rows.length > 1 ? first : first - 1];
  if (above) change((row, column) => (row === above ? undefined : above.now[column.name]));
}

/* ---- the clipboard */
function paste(text) {
  const block = tableOf(text);
  const wide = Math.max(...block.map((line) => line.length));
  const chosen = selection();
  const isTiled = chosen.rows.length % block.length === 0 && chosen.columns.length % wide === 0;
  const high = isTiled ? chosen.rows.length : block.length;
  const across = isTiled ? chosen.columns.length : wide;
  const [top] = chosen.rows;
  const [left] = chosen.columns;
  const changes = [];
  for (let down = 0; down < high; down += 1) {
    for (let over = 0; over < across; over += 1) {
      const row = rows[top + down];
      const column = layout[left + over];
      const value = block[down % block.length][over % wide];
      if (row && column && value !== undefined) changes.push({ row, column, value });
    }
  }
  apply(changes);
  if (top + high > rows.length || left + across > layout.length) showToast(say.leftOut, { isError: true });
  const first = table.getRows()[top].getCells()[left];
  const last = table.getRows()[Math.min(top + high, rows.length) - 1].getCells()[Math.min(left + across, layout.length) - 1];
  table.getRanges()[0].setBounds(first, last);
}

function copied() {
  const chosen = selection();
  const written = (row, column, place) => {
    if (!column) return place === 1 ? row.grade || grid.stateOf(row) : row.name;
    const value = inWords(column, row.now[column.name]);
    return column.kind === "wan" ? value.replaceAll(",", "") : value; // as it can be calculated with
  };
  return textOf(chosen.rows.map((number) => chosen.columns.map((place) => written(rows[number], layout[place], place))));
}

function onClipboard(event) {
  if (isEditing() || !box.contains(document.activeElement)) return;
  event.preventDefault();
  if (event.type === "paste") {
    paste(event.clipboardData.getData("text/plain"));
    return;
  }
  event.clipboardData.setData("text/plain", copied());
  if (event.type === "cut") change(() => "");
}
["copy", "cut", "paste"].forEach((name) => document.addEventListener(name, onClipboard));

/* ---- typing */
let firstKey = null; // what was typed to open the editor; it replaces what stands there

function edit(cell, onRendered, _success, cancel) {
  const row = rowOf.get(cell.getData().line);
  const column = columnOf.get(cell.getField());
  const typed = firstKey;
  firstKey = null;
  const field = editorOf(column, row.now[column.name]);
  field.setAttribute("aria-label", `${row.name}${say.point}${column.label}`);
  const shown = field.value;
  if (typed !== null) field.value = typed;
  onRendered(() => {
    field.focus({ preventScroll: true });
    if (typed === null && field.matches("input")) field.select();
  });
  let isOver = false;
  const finish = (isKept) => {
    if (isOver) return;
    isOver = true;
    const { value } = field;
    cancel();
    if (isKept && value !== shown) apply([{ row, column, value }]);
  };
  field.addEventListener("blur", () => finish(true));
  field.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.isComposing || !["Enter", "Tab", "Escape"].includes(event.key)) return;
    event.preventDefault();
    if (event.key === "Enter" && event.altKey) {
      if (field.matches("textarea")) field.setRangeText("\n", field.selectionStart, field.selectionEnd, "end");
      return;
    }
    finish(event.key !== "Escape");
    holder().focus();
    if (event.key === "Enter") step(event.shiftKey ? "up" : "down");
    if (event.key === "Tab") stepAcross(event.shiftKey);
  });
  return field;
}

function editorOf(column, value) {
  const isChosen = column.kind === "yes" || column.kind === "choice";
  const field = isChosen ? choiceField(column, value) : document.createElement(column.kind === "text" ? "textarea" : "input");
  field.className = "grid-editor";
  if (isChosen) return field;
  field.value = value;
  field.inputMode = column.kind === "wan" || column.kind === "rate" ? "decimal" : "text";
  field.autocomplete = "off";
  return field;
}

function choiceField(column, value) {
  const field = document.createElement("select");
  const offered = column.kind === "yes" ? [["true", words.shown.true], ["false", words.shown.false]] : words.choices;
  field.append(...offered.map(([code, label]) => new Option(label, code)));
  field.value = String(value); // nothing where what stands there is none of them
  return field;
}

function startTyping(key) {
  const here = active();
  if (!here?.column) return;
  if (here.column.kind === "yes" && key) {
    const value = key === " " ? String(!here.row.now[here.column.name]) : key;
    if (!grid.accept(here.column, value).error) apply([{ row: here.row, column: here.column, value }]);
    return;
  }
  firstKey = here.column.kind === "choice" ? null : key;
  here.cell.edit();
}

const WITH_CONTROL = { d: fillDown, z: undo, y: redo, s: save };
const KEYS = {
  Enter: (event) => step(event.shiftKey ? "up" : "down"),
  Tab: (event) => stepAcross(event.shiftKey),
  F2: () => startTyping(null),
  Delete: () => change(() => ""),
  Backspace: () => change(() => ""),
  Home: () => go(sheet().activeRange.start.row, FIRST_FIELD),
  End: () => go(sheet().activeRange.start.row, layout.length - 1),
  PageUp: () => go(sheet().activeRange.start.row - pageful(), sheet().activeRange.start.col),
  PageDown: () => go(sheet().activeRange.start.row + pageful(), sheet().activeRange.start.col),
  Escape: () => (at("grid-save").disabled ? document.querySelector(".grid-keys summary") : at("grid-save")).focus(),
};

function onKey(event) {
  if (isEditing() || event.altKey) return;
  const isControl = event.ctrlKey || event.metaKey;
  let act = isControl ? WITH_CONTROL[event.key.toLowerCase()] : KEYS[event.key];
  if (isControl && event.shiftKey && event.key.toLowerCase() === "z") act = redo;
  if (!isControl && event.key.length === 1) act = () => startTyping(event.key);
  if (!isControl && (event.key === "Process" || event.keyCode === 229)) {
    startTyping(""); // an input method begins: it goes on in the editor
    return;
  }
  if (!act || (event.key === "Tab" && act(event) === false)) return;
  event.preventDefault();
  event.stopPropagation();
  if (event.key !== "Tab") act(event);
}
box.addEventListener("keydown", onKey, true);
box.addEventListener("click", (event) => {
  if (event.target.closest(".tabulator-header")) holder().focus({ preventScroll: true });
});
/* On glass there is no double click; Tabulator takes the focus after the click itself. */
box.addEventListener("click", (event) => {
  if (event.pointerType !== "touch" || !event.target.closest(".tabulator-cell") || isEditing()) return;
  setTimeout(() => startTyping(null));
});

/* ---- where things stand */
let isSaving = false;
let savedAt = "";

function drawBar() {
  const count = grid.counted();
  const many = (number, one, some) => (number ? [number === 1 ? one : fill(some, { count: number })] : []);
  const open = [
    ...(count.changed ? [fill(say.changed, { count: count.changed })] : []),
    ...many(count.errors, say.error, say.errors),
    ...many(count.clashes, say.clash, say.clashes),
  ];
  let status = savedAt ? fill(say.saved, { time: savedAt }) : say.nothing;
  if (open.length) status = [...open, say.unsaved].join(say.comma);
  if (isSaving) status = say.saving;
  const line = at("grid-status");
  if (line.textContent !== status) line.textContent = status;
  line.classList.toggle("is-open", open.length > 0 && !isSaving);
  line.classList.toggle("is-wrong", count.errors + count.clashes > 0 && !isSaving);
  const button = at("grid-save");
  const [label] = many(count.savable, say.saveOne, say.saveMany);
  button.textContent = label ?? say.save;
  button.disabled = isSaving || !count.savable;
  at("grid-undo").disabled = !grid.canUndo();
  at("grid-redo").disabled = !grid.canRedo();
  drawCell();
}

/** Customer, field, last year's value, what is wrong: of the cell one stands on, for the eye and the ear. */
function drawCell() {
  const here = active();
  if (!here) return;
  const { row, column } = here;
  const value = (one) => inWords(column, one) || say.empty;
  const said = [row.name];
  if (column) {
    said.push(`${column.label} ${value(row.now[column.name])}`);
    if (row.now[column.name] !== row.values[column.name]) said.push(fill(say.was, { value: value(row.values[column.name]) }));
    if (row.last) said.push(fill(say.last, { value: value(row.last[column.name]) }));
  } else {
    said.push(row.grade ? `${say.grade} ${row.grade} ${row.score}` : grid.stateOf(row));
    if (row.missing) said.push(fill(say.missing, { elements: row.missing }));
  }
  if (row.carried) said.push(say.carried);
  const line = at("grid-cell");
  const wrong = document.createElement("strong");
  wrong.textContent = (column && row.errors[column.name]) || "";
  const text = said.join(say.point);
  if (line.textContent === text + (wrong.textContent && say.point + wrong.textContent)) return;
  line.replaceChildren(...(wrong.textContent ? [text + say.point, wrong] : [text]));
}
["rangeChanged", "rangeAdded"].forEach((name) => table.on(name, () => requestAnimationFrame(drawCell)));

function drawClashes() {
  const place = at("grid-clashes");
  const open = rows.filter((row) => row.clash);
  place.replaceChildren(...open.map((row) => clashOf(row, (names) => settle(row, names))));
  place.hidden = !open.length;
}

function settle(row, names) {
  row.clash = null;
  apply(names.map((name) => ({ row, column: columnOf.get(name), value: row.values[name] })));
  show([row]);
  drawClashes();
  (at("grid-save").disabled ? holder() : at("grid-save")).focus();
}

/* ---- saving */
async function save() {
  const going = grid.savable();
  if (!going.length || isSaving) return;
  isSaving = true;
  drawBar();
  const answer = await send(going);
  isSaving = false;
  savedAt = answer?.at ?? savedAt;
  const typed = new Map(going.map(({ line, values }) => [line, values]));
  show((answer?.rows ?? []).map((one) => grid.take(one, typed.get(one.line))));
  drawClashes();
}

at("grid-save").addEventListener("click", save);
at("grid-undo").addEventListener("click", undo);
at("grid-redo").addEventListener("click", redo);
addEventListener("beforeunload", (event) => {
  if (grid.counted().changed) event.preventDefault();
});
table.on("tableBuilt", () => {
  /* What scrolls has the focus: it is the group of the rows, and what lies within it is nothing by itself. */
  box.setAttribute("aria-label", say.label);
  holder().setAttribute("role", "rowgroup");
  box.querySelector(".tabulator-table").setAttribute("role", "presentation");
  box.querySelector(".tabulator-header").removeAttribute("tabindex");
  holder().focus({ preventScroll: true });
  const first = table.getRows()[0].getCells()[FIRST_FIELD];
  table.getRanges()[0].setBounds(first, first);
  drawBar();
});
