/** Ctrl+K: go to a page of the menu, start an action of this page ([data-command]), or search customers. */
const dialog = document.getElementById("palette");
const input = dialog?.querySelector("input");
const list = document.getElementById("palette-list");
let texts = {};
let shown = [];
let chosen = 0;

function words(element) {
  const copy = element.cloneNode(true);
  copy.querySelectorAll(".nav-count, .visually-hidden, kbd").forEach((extra) => extra.remove());
  return copy.textContent.trim().replace(/\s+/g, " ");
}

function group(link) {
  const summary = link.closest("details")?.querySelector("summary");
  return summary ? `${words(summary)} › ` : "";
}

function entries() {
  const pages = [...document.querySelectorAll(".sidebar .nav-list a")].map((link) => ({
    label: group(link) + words(link), kind: texts.kindPage, run: () => location.assign(link.href),
  }));
  const actions = [...document.querySelectorAll("[data-command]")].map((element) => ({
    label: element.dataset.command || words(element), kind: texts.kindAction, run: () => element.click(),
  }));
  return [...actions, ...pages];
}

function search(text) {
  const url = `${texts.customersUrl}?${new URLSearchParams({ search: text })}`;
  return { label: texts.searchCustomers.replace("{text}", text), kind: texts.kindSearch, run: () => location.assign(url) };
}

function option(entry, index) {
  const item = document.createElement("li");
  item.id = `palette-${index}`;
  item.setAttribute("role", "option");
  const kind = Object.assign(document.createElement("span"), { className: "palette-kind", textContent: entry.kind });
  item.append(entry.label, kind);
  item.addEventListener("click", () => run(index));
  return item;
}

function choose(index) {
  if (!shown.length) return;
  chosen = (index + shown.length) % shown.length;
  [...list.children].forEach((item, at) => item.setAttribute("aria-selected", at === chosen));
  input.setAttribute("aria-activedescendant", `palette-${chosen}`);
  list.children[chosen].scrollIntoView({ block: "nearest" });
}

function filter() {
  const text = input.value.trim();
  const parts = text.toLowerCase().split(/\s+/);
  shown = entries().filter(({ label }) => parts.every((part) => label.toLowerCase().includes(part)));
  if (text && texts.customersUrl) shown.push(search(text));
  list.replaceChildren(...shown.map(option));
  input.removeAttribute("aria-activedescendant");
  choose(0);
}

function run(index) {
  dialog.close();
  shown[index]?.run();
}

const KEYS = {
  ArrowDown: () => choose(chosen + 1),
  ArrowUp: () => choose(chosen - 1),
  Enter: () => run(chosen),
};

input?.addEventListener("input", filter);
input?.addEventListener("keydown", (event) => {
  const act = KEYS[event.key];
  if (!act || event.isComposing) return;
  event.preventDefault();
  act();
});

export function openPalette(pageTexts) {
  if (!dialog || dialog.open) return;
  texts = pageTexts;
  input.value = "";
  dialog.showModal();
  filter();
  input.focus();
}
