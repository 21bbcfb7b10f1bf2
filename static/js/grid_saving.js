/** Asking the server to save, and saying why where that does not come through; nothing typed is lost by it. */
const shared = document.getElementById("texts").dataset;

const token = () => document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? shared.csrf; // new after a new sign-in

/** Say what is in the way, with a link where there is one; "" takes it back. */
export function problem(text, link = null) {
  const place = document.getElementById("grid-problem");
  place.replaceChildren(text);
  if (link) place.append(" ", Object.assign(document.createElement("a"), { href: link, target: "_blank", textContent: shared.signIn }));
  place.hidden = !text;
}

/** The answer to a request, or none where it did not come through, which is said. */
async function asked(options) {
  let response;
  try {
    response = await fetch(location.href, { redirect: "manual", ...options });
  } catch {
    problem(shared.offline);
    return null;
  }
  if (response.type !== "opaqueredirect") return response;
  problem(shared.signedOut, shared.loginUrl);
  return null;
}

const post = (going) => asked({
  method: "POST",
  body: JSON.stringify({ rows: going }),
  headers: { "Content-Type": "application/json", "X-CSRFToken": token() },
});

/** Send rows; what the server says of each of them, or nothing. */
export async function send(going) {
  problem("");
  let response = await post(going);
  if (response?.status === 403) {
    const page = await asked({}); // is it the person who may not, or a token of before the last sign-in?
    response = page?.ok ? await post(going) : page;
  }
  if (!response) return null;
  const answer = await response.json().catch(() => ({}));
  if (response.ok && answer.rows) return answer;
  problem(answer.error ?? { 403: shared.forbidden, 404: shared.missing }[response.status] ?? shared.failed);
  return null;
}
