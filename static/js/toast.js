/** Short notices at the lower right. Success leaves by itself; an error stays until it is closed. */
const SECONDS = 6;

export function closeToast(toast) {
  toast.remove();
}

export function leaveByItself(toast) {
  setTimeout(() => {
    if (toast.matches(":hover, :focus-within")) leaveByItself(toast);
    else closeToast(toast);
  }, SECONDS * 1000);
}

export function showToast(text, { isError = false, link = null } = {}) {
  const box = document.getElementById("toasts");
  const template = document.getElementById("flash");
  if (!box || !template) return;
  const known = [...box.querySelectorAll(".flash-text")].find((shown) => shown.dataset.text === text);
  if (known) return;
  const toast = template.content.firstElementChild.cloneNode(true);
  const { sprite } = document.getElementById("texts").dataset;
  toast.querySelector("use").setAttribute("href", `${sprite}#${isError ? "alert-triangle" : "circle-check"}`);
  toast.classList.toggle("flash-error", isError);
  const words = toast.querySelector(".flash-text");
  words.dataset.text = text;
  words.textContent = text;
  if (link) {
    const anchor = Object.assign(document.createElement("a"), { href: link.href, textContent: link.text, target: "_blank" });
    words.append(" ", anchor);
  }
  box.append(toast);
  if (!isError) leaveByItself(toast);
}
