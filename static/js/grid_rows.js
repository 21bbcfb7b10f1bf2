/** The rows of the grid: what is stored, what is typed, what is changed, wrong or in conflict; and the way back. */
import { READERS } from "./cells.js";

export const say = document.getElementById("grid").dataset;
export const { columns, words, rows: sent } = JSON.parse(document.getElementById("grid-data").textContent);
export const fill = (sentence, values) => sentence.replace(/{(\w+)}/g, (_found, name) => values[name]);

const choices = new Map(words.choices);
export const rows = sent.map((row) => ({ ...row, now: { ...row.values }, errors: {}, clash: null }));
export const rowOf = new Map(rows.map((row) => [row.line, row]));
export const columnOf = new Map(columns.map((column) => [column.name, column]));

export const changed = (row) => columns.filter(({ name }) => row.now[name] !== row.values[name]).map(({ name }) => name);
export const stateOf = (row) => (row.state === "not_gradable" ? say.notGradable : say.notAssessed);

/** A value as people read it. */
export function inWords(column, value) {
  if (column.kind === "yes") return typeof value === "boolean" ? words.shown[value] : value;
  if (column.kind === "choice") return choices.get(value) ?? value;
  if (column.kind !== "wan" || !/^\d+(\.\d+)?$/.test(value)) return value;
  const [whole, ...rest] = value.split(".");
  return [whole.replace(/\B(?=(\d{3})+$)/g, ","), ...rest].join(".");
}

/** What was typed as the cell keeps it, or as it stands with the reason why it cannot be. */
export function accept(column, typed) {
  const value = READERS[column.kind](typed, words);
  if (value !== null) return { value, error: "" };
  const kind = column.kind[0].toUpperCase() + column.kind.slice(1);
  return { value: typed, error: fill(say[`bad${kind}`], { text: typed, allowed: [...choices.values()].join(say.comma) }) };
}

/** How many cells are changed and wrong, how many rows are in conflict, and how many changes could be saved now. */
export function counted() {
  const count = { changed: 0, errors: 0, clashes: 0, savable: 0 };
  for (const row of rows) {
    const names = changed(row);
    const wrong = Object.keys(row.errors).length;
    count.changed += names.length;
    count.errors += wrong;
    count.clashes += row.clash ? 1 : 0;
    if (!wrong && !row.clash) count.savable += names.length;
  }
  return count;
}

/* ---- changes, undone and done again by the block */
const done = [];
const undone = [];
export const canUndo = () => done.length > 0;
export const canRedo = () => undone.length > 0;

function put({ row, column, value }) {
  const kept = accept(column, value);
  const before = row.now[column.name];
  row.now[column.name] = kept.value;
  delete row.errors[column.name];
  if (kept.error) row.errors[column.name] = kept.error;
  for (const name of Object.keys(row.errors)) {
    if (row.now[name] === row.values[name]) delete row.errors[name]; // what is stored is not in anybody's way
  }
  return { row, column, before, after: kept.value };
}

const rowsIn = (changes) => new Set(changes.map(({ row }) => row));

/** Type values into cells ({row, column, value}) as one block; gives back the rows to draw again. */
export function type(changes) {
  const made = changes.map(put).filter(({ before, after }) => before !== after);
  if (made.length) {
    done.push(made);
    undone.length = 0;
  }
  return rowsIn(changes);
}

function turn(from, to, value) {
  const block = from.pop();
  if (!block) return new Set();
  block.forEach((one) => put({ ...one, value: one[value] }));
  to.push(block);
  return rowsIn(block);
}

export const undo = () => turn(done, undone, "before");
export const redo = () => turn(undone, done, "after");

/* ---- saving */

/** What the server is to save: of rows without errors and conflicts, what was changed. */
export function savable() {
  return rows
    .filter((row) => !row.clash && !Object.keys(row.errors).length && changed(row).length)
    .map((row) => ({ line: row.line, version: row.version, values: Object.fromEntries(changed(row).map((name) => [name, row.now[name]])) }));
}

const firstChanged = (row) => changed(row)[0] ?? columns[0].name;

const OUTCOMES = {
  saved(row, answer, typed) {
    for (const { name } of columns) {
      const isUntouched = row.now[name] === (name in typed ? typed[name] : row.values[name]);
      if (isUntouched) row.now[name] = answer.values[name];
    }
    stand(row, answer);
  },
  clash(row, answer) {
    const base = row.values;
    const theirs = columns.map(({ name }) => name).filter((name) => answer.values[name] !== base[name]);
    const mine = new Set(changed(row));
    const fields = theirs.filter((name) => mine.has(name) && row.now[name] !== answer.values[name]);
    const taken = theirs.filter((name) => !mine.has(name));
    taken.forEach((name) => { row.now[name] = answer.values[name]; });
    row.clash = { by: answer.by, fields, taken };
    stand(row, answer);
  },
  invalid(row, answer) {
    const { "": rest, ...errors } = answer.errors;
    Object.assign(row.errors, errors, rest && { [firstChanged(row)]: rest });
  },
  absent(row, answer) {
    row.errors[firstChanged(row)] = answer.reason;
  },
};

function stand(row, { version, values, carried, grade, state, score, missing }) {
  Object.assign(row, { version, values, carried, grade, state, score, missing });
}

/** Take what the server says of a row; what was typed since it was sent stays. */
export function take(answer, typed) {
  const row = rowOf.get(answer.line);
  OUTCOMES[answer.outcome](row, answer, typed);
  return row;
}
