/** How figures are read is asked only beside columns that are amounts or percents. Without this it is asked in vain at most. */
const table = document.getElementById("columns");
const figures = table.dataset.figures.split(" ");

function show(row) {
  const factor = row.querySelector("[data-factor]");
  if (!factor) return;
  factor.hidden = !figures.includes(row.querySelector("select").value);
  factor.closest("td").classList.toggle("card-skip", factor.hidden);
}

const showAll = () => table.querySelectorAll("tbody tr").forEach(show);
table.addEventListener("change", ({ target }) => show(target.closest("tr")));
addEventListener("pageshow", showAll);
showAll();
