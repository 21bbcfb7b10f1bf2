/** A list whose rows can be ticked: a whole page at once, and how many are. Without this the ticks work by themselves. */
const form = document.getElementById("bulk");
const rows = [...form.elements].filter((field) => field.name === "number");
const pages = [...document.querySelectorAll("[data-pick-page]")];
const all = form.querySelector("[data-pick-all]");
const count = form.querySelector("[data-pick-count]");

function show() {
  const picked = rows.filter((row) => row.checked).length;
  for (const page of pages) {
    page.checked = picked === rows.length;
    page.indeterminate = picked > 0 && picked < rows.length;
  }
  const number = all?.checked ? count.dataset.all : picked;
  const words = count.dataset.words.replace("{count}", number);
  if (count.textContent !== words) count.textContent = words;
}

document.addEventListener("change", ({ target }) => {
  if (pages.includes(target)) rows.forEach((row) => { row.checked = target.checked; });
  else if (target === all && all.checked) rows.forEach((row) => { row.checked = true; });
  else if (!rows.includes(target)) return;
  if (all && rows.some((row) => !row.checked)) all.checked = false;
  show();
});
form.addEventListener("reset", () => setTimeout(show));
addEventListener("pageshow", show);
pages.forEach((page) => { (page.closest("label") ?? page).hidden = false; });
show();
