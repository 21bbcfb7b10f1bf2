/** Every page: htmx manners, toasts, dialogs, keys, the Ctrl+K palette, density, the folding menu. */
import { openPalette } from "./palette.js";
import { closeToast, leaveByItself, showToast } from "./toast.js";

const texts = document.getElementById("texts").dataset;
const isTyping = (target) => target.closest("input, textarea, select, [contenteditable='true'], .tabulator");

/* ---- htmx: the CSRF header, a line while loading, errors said once */
const FAILURES = { 403: texts.forbidden, 404: texts.missing, 409: texts.conflict, 412: texts.conflict };
let underWay = 0;

function count(step) {
  underWay = Math.max(0, underWay + step);
  document.body.classList.toggle("is-loading", underWay > 0);
}

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRFToken"] = texts.csrf;
});
document.addEventListener("htmx:beforeRequest", () => count(1));
document.addEventListener("htmx:afterRequest", () => count(-1));
document.addEventListener("htmx:sendError", () => showToast(texts.offline, { isError: true }));
document.addEventListener("htmx:timeout", () => showToast(texts.offline, { isError: true }));
document.addEventListener("htmx:responseError", (event) => {
  showToast(FAILURES[event.detail.xhr.status] ?? texts.failed, { isError: true });
});
/* A session that has ended answers with the sign-in page: keep what was typed instead of drawing it here. */
document.addEventListener("htmx:beforeSwap", (event) => {
  const { responseURL } = event.detail.xhr;
  if (responseURL && texts.loginUrl && new URL(responseURL).pathname === texts.loginUrl) {
    event.detail.shouldSwap = false;
    showToast(texts.signedOut, { isError: true, link: { href: texts.loginUrl, text: texts.signIn } });
  }
});
/* A view may answer with the header HX-Trigger: {"toast": "…"}. */
document.addEventListener("toast", (event) => showToast(event.detail.value));

/* ---- clicks and changes, by data attribute */
const CLICKS = {
  "data-open-dialog": (button) => openDialog(button.dataset.openDialog),
  "data-close-dialog": (button) => button.closest("dialog").close(),
  "data-close-flash": (button) => closeToast(button.closest("[data-flash]")),
  "data-toggle-density": toggleDensity,
  "data-toggle-sidebar": () => showSidebar(!document.body.classList.contains("sidebar-open")),
  "data-close-sidebar": () => showSidebar(false),
  "data-print": () => window.print(),
  "data-download-text": (button) => download(document.getElementById(button.dataset.downloadText), button.dataset.fileName),
};

document.addEventListener("click", (event) => {
  for (const [attribute, act] of Object.entries(CLICKS)) {
    const element = event.target.closest(`[${attribute}]`);
    if (element) act(element);
  }
  if (event.target.matches("dialog[open]")) event.target.close();
});
/* A choice takes effect at once; typed text waits for Enter. */
document.addEventListener("change", (event) => {
  if (event.target.matches("select, [type='checkbox'], [type='radio']")) {
    event.target.closest("form[data-submit-on-change]")?.requestSubmit();
  }
});
/* What is left empty stays out of a list's address; the fields come back when one returns to the page. */
const leftOut = [];
document.addEventListener("submit", (event) => {
  if (event.target.method !== "get") return;
  const empty = [...event.target.elements].filter((field) => field.name && !field.value && field.type !== "hidden" && !field.disabled);
  empty.forEach((field) => { field.disabled = true; });
  leftOut.push(...empty);
});
addEventListener("pageshow", () => leftOut.splice(0).forEach((field) => { field.disabled = false; }));

function openDialog(id) {
  if (id === "palette") openPalette(texts);
  else document.getElementById(id)?.showModal();
}

/* What is shown once and asked from the server no more: the lines of a list as a text file. */
function download(list, name) {
  const lines = [...list.children].map((line) => line.textContent.trim());
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([`${lines.join("\n")}\n`], { type: "text/plain" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

function toggleDensity(button) {
  const isComfortable = document.body.classList.toggle("comfortable");
  button.setAttribute("aria-pressed", isComfortable);
  const value = isComfortable ? "comfortable" : "compact";
  document.cookie = `density=${value}; path=/; max-age=31536000; samesite=lax`;
}

function showSidebar(isOpen) {
  document.body.classList.toggle("sidebar-open", isOpen);
  const toggle = document.querySelector("[data-toggle-sidebar]");
  toggle?.setAttribute("aria-expanded", isOpen);
  if (isOpen) document.querySelector(".sidebar a")?.focus();
  else if (document.activeElement?.closest(".sidebar")) toggle?.focus();
}

/* ---- keys */
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openDialog("palette");
    return;
  }
  if (event.key === "Escape") showSidebar(false);
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const search = document.getElementById("global-search");
  if (event.key === "/" && search) {
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key === "?") {
    openDialog("keys");
  }
});

/* ---- at the start */
document.querySelectorAll("[data-flash]").forEach(leaveByItself);
document.querySelector("[data-focus]")?.focus();
