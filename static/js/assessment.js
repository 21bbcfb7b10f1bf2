/**
 * Keeps what is typed into the assessment form in this browser tab until it is saved, so that a session that ends or a
 * closed page loses nothing. A draft belongs to the version it was typed against: once someone has saved, it is dropped.
 */
const form = document.getElementById("assessment");
const notice = document.getElementById("draft-notice");
const key = `draft:${form.dataset.draft}`;
const version = form.elements.version.value;
const typed = () => [...new FormData(form)].filter(([name]) => !["csrfmiddlewaretoken", "version"].includes(name));

function keep() {
  sessionStorage.setItem(key, JSON.stringify({ version, values: typed() }));
}

function fill(values) {
  const given = new Map(values);
  for (const field of form.elements) {
    if (!field.name || ["hidden", "submit"].includes(field.type)) continue;
    if (field.type === "checkbox") field.checked = given.has(field.name);
    else if (field.type === "radio") field.checked = given.get(field.name) === field.value;
    else field.value = given.get(field.name) ?? "";
  }
}

function restore() {
  const draft = JSON.parse(sessionStorage.getItem(key) ?? "null");
  const isBound = "bound" in form.dataset;
  if (!draft || isBound) return;
  if (draft.version !== version || JSON.stringify(draft.values) === JSON.stringify(typed())) {
    sessionStorage.removeItem(key);
    return;
  }
  fill(draft.values);
  notice.hidden = false;
  requestAnimationFrame(() => form.dispatchEvent(new CustomEvent("draft-restored")));
}

form.addEventListener("input", keep);
notice.querySelector("[data-drop-draft]").addEventListener("click", () => {
  sessionStorage.removeItem(key);
  location.reload();
});
restore();
