/**
 * Continuing here what began elsewhere. The token of a link stands in its fragment, which no server sees; it is taken
 * out of the address at once and kept for this tab until the user has answered. Looking uses nothing up.
 */

const KEY = "redress-join";

/** The token that waits for an answer, or null. */
export function invitation() {
  const found = new URLSearchParams(location.hash.slice(1)).get("join");
  if (!found) return recall();
  history.replaceState(history.state, "", location.pathname + location.search);
  remember(found);
  return found;
}

export function forgetInvitation() {
  remember(null);
}

/** {question}. Throws Refused with the desk's sentence. */
export const look = (server, session, token, language) => post(server, "/chat/invitation", session, token, language);

/** The user said yes; what follows is said in the chat. Throws Refused. */
export const follow = (server, session, token, language) =>
  post(server, "/chat/invitation/follow", session, token, language);

export class Refused extends Error {}

async function post(server, path, session, token, language) {
  const answer = await fetch(new URL(`${path}?lang=${language}`, server), {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${session.session}.${session.secret}` },
    body: JSON.stringify({ token }),
    credentials: "omit",
  });
  const content = await answer.json();
  if (!answer.ok) throw Object.assign(new Refused(content.message), { over: answer.status === 410 });
  return content;
}

function recall() {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function remember(token) {
  try {
    if (token === null) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, token);
  } catch {
    /* Blocked: then the link works as long as this page is open. */
  }
}
