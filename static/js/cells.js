/**
 * What people write in a cell, read exactly or not at all: nothing is guessed and nothing is rounded. Each reader gives
 * back what the form takes, or null. Amounts are in 万元 unless their unit stands beside them, as in 1.2亿 or 350000元.
 */
const UNITS = { 亿元: 4, 亿: 4, 万元: 0, 万: 0, 千元: -1, 元: -4, "": 0 };
const DAYS = [/^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})$/, /^(\d{4})年(\d{1,2})月(\d{1,2})日?$/, /^(\d{4})(\d{2})(\d{2})$/];

const plain = (typed) => String(typed).normalize("NFKC").trim();

/** A decimal moved by some places, without needless zeros; null if more decimals are left than allowed. */
function decimal(text, shift, places) {
  const match = /^(-?)(\d+|\d{1,3}(?:,\d{3})+)(?:\.(\d+))?$/.exec(text);
  if (!match) return null;
  const [, sign, whole, fraction = ""] = match;
  const digits = whole.replaceAll(",", "").padStart(1 - Math.min(shift, 0) + 1, "0") + fraction.padEnd(Math.max(shift, 0), "0");
  const point = digits.length - Math.max(fraction.length, Math.max(shift, 0)) + shift;
  const left = digits.slice(0, point).replace(/^0+(?=\d)/, "");
  const right = digits.slice(point).replace(/0+$/, "");
  if (right.length > places) return null;
  const value = right ? `${left}.${right}` : left;
  return value === "0" ? value : sign + value;
}

export const READERS = {
  rate(typed) {
    const text = plain(typed).replace(/\s*%$/, "");
    return text === "" ? "" : decimal(text, 0, 2);
  },
  wan(typed) {
    const [, text, unit] = /^(.*?)(亿元|亿|万元|万|千元|元)?$/s.exec(plain(typed).replace(/[¥\s]/g, ""));
    if (text === "" && !unit) return "";
    return text.startsWith("-") ? null : decimal(text, UNITS[unit ?? ""], 6);
  },
  yes(typed, words) {
    const text = plain(typed).toLowerCase();
    if (text === "") return false;
    if (words.yes.includes(text)) return true;
    return words.no.includes(text) ? false : null;
  },
  choice(typed, words) {
    const text = plain(typed).toLowerCase();
    return text === "" ? words.choices[0][0] : words.choice[text] ?? null;
  },
  day(typed) {
    const text = plain(typed);
    if (text === "") return "";
    const match = DAYS.map((form) => form.exec(text)).find(Boolean);
    if (!match) return null;
    const [year, month, day] = match.slice(1).map(Number);
    const found = new Date(Date.UTC(year, month - 1, day));
    const isReal = found.getUTCFullYear() === year && found.getUTCMonth() === month - 1 && found.getUTCDate() === day;
    return isReal ? found.toISOString().slice(0, 10) : null;
  },
  text: (typed) => String(typed),
};

/** The cells of a table as Excel puts it on the clipboard: lines of tabs, with quotes around what holds either. */
export function tableOf(text) {
  const found = [[""]];
  const pieces = text.replace(/\r\n?/g, "\n").replace(/\n$/, "").match(/(?:^|(?<=[\t\n]))"(?:[^"]|"")*"(?=[\t\n]|$)|\t|\n|[^\t\n]+/g);
  for (const piece of pieces ?? []) {
    const line = found.at(-1);
    if (piece === "\n") found.push([""]);
    else if (piece === "\t") line.push("");
    else line[line.length - 1] = /^"[^]*"$/.test(piece) ? piece.slice(1, -1).replaceAll('""', '"') : piece;
  }
  return found;
}

/** Cells as such a table. */
export function textOf(table) {
  const quoted = (text) => (/[\t\n"]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return table.map((line) => line.map(quoted).join("\t")).join("\n");
}
