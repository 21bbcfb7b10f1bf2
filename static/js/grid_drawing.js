/** What stands in the cells of the grid, in its heads, and in the notices of what others changed meanwhile. */
import { columnOf, fill, inWords, rowOf, say, stateOf } from "./grid_rows.js";

function contents(row, column) {
  const now = document.createElement("span");
  now.className = "grid-now";
  now.textContent = inWords(column, row.now[column.name]);
  if (row.now[column.name] === false) now.classList.add("grid-no");
  const parts = [now];
  if (row.last && column.kind !== "text") {
    const was = document.createElement("span");
    was.className = "grid-was";
    was.textContent = inWords(column, row.last[column.name]);
    parts.unshift(was);
  }
  return parts;
}

function mark(element, row, column) {
  const { name } = column;
  const isWrong = Boolean(row.errors[name]);
  element.classList.toggle("is-changed", row.now[name] !== row.values[name]);
  element.classList.toggle("is-wrong", isWrong);
  element.classList.toggle("is-clash", Boolean(row.clash?.fields.includes(name)));
  element.title = row.errors[name] ?? "";
  if (isWrong) element.setAttribute("aria-invalid", "true");
  else element.removeAttribute("aria-invalid");
}

export function drawField(cell) {
  const row = rowOf.get(cell.getData().line);
  const column = columnOf.get(cell.getField());
  const element = cell.getElement();
  mark(element, row, column);
  const inside = document.createElement("div");
  inside.className = "grid-value";
  inside.append(...contents(row, column));
  return inside;
}

function badge(row) {
  const inside = document.createElement("div");
  const grade = document.createElement("span");
  inside.className = "grid-value";
  grade.className = row.grade ? `grade grade-${row.grade.toLowerCase()}` : "grade grade-none";
  grade.classList.toggle("grade-unassessed", row.state === "not_assessed");
  grade.textContent = row.grade || stateOf(row);
  inside.append(grade);
  if (row.grade) inside.append(row.score);
  return inside;
}

export const drawGrade = (cell) => badge(rowOf.get(cell.getData().line));

/** A row that is shown already, drawn again. */
export function redraw(component, row) {
  for (const cell of component.getCells()) {
    const column = columnOf.get(cell.getField());
    const element = cell.getElement();
    if (column && !element.classList.contains("tabulator-editing")) {
      mark(element, row, column);
      element.querySelector(".grid-value")?.replaceChildren(...contents(row, column));
    } else if (cell.getField() === "grade") {
      element.replaceChildren(badge(row));
    }
  }
  component.getElement().classList.toggle("is-carried", row.carried);
}

/** A column's head: its name, and the unit of its figures. */
export function head(title, unit = "") {
  const inside = document.createElement("div");
  inside.textContent = title;
  if (unit) {
    const small = document.createElement("small");
    small.textContent = unit;
    inside.append(" ", small);
  }
  return inside;
}

/** What somebody else changed in a row beside what was typed here; `settle` gets the fields to take from him. */
export function clashOf(row, settle) {
  const { by, fields, taken } = row.clash;
  const notice = document.createElement("div");
  notice.className = "notice notice-warn";
  const inside = document.createElement("div");
  const title = document.createElement("p");
  title.textContent = fill(by ? say.by : say.bySomeone, { customer: row.name, person: by });
  const list = document.createElement("dl");
  list.className = "grid-clash";
  for (const name of [...fields, ...taken]) {
    const column = columnOf.get(name);
    const label = Object.assign(document.createElement("dt"), { textContent: column.label });
    const theirs = `${say.theirs} ${inWords(column, row.values[name]) || say.empty}`;
    const mine = fields.includes(name) ? `${say.mine} ${inWords(column, row.now[name]) || say.empty}` : say.untouched;
    list.append(label, Object.assign(document.createElement("dd"), { textContent: [theirs, mine].join(say.point) }));
  }
  const buttons = document.createElement("p");
  buttons.className = "grid-clash-buttons";
  buttons.append(choiceButton(say.keep, () => settle([])));
  if (fields.length) buttons.append(" ", choiceButton(say.take, () => settle(fields)));
  inside.append(title, list, buttons);
  notice.append(inside);
  return notice;
}

function choiceButton(label, act) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-sm", textContent: label });
  button.addEventListener("click", act);
  return button;
}
