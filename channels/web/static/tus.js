/** One request of the resumable-upload protocol tus 1.0.0. */

const SILENT_MS = 30_000;

export class Refused extends Error {
  /** `status` is 0 when no answer came; `code` is the desk's own word for the fault, "" when it gave none. */
  constructor(status, code = "") {
    super(code);
    this.status = status;
    this.code = code;
  }
}

/**
 * Resolves with a function that reads the answer's headers; rejects with Refused. `desk` is {server, session}. A request
 * from which nothing is heard for long is given up; aborting `signal` ends it, and lets none begin.
 */
export async function ask(desk, method, path, { headers = {}, body = null, signal, onSent = () => {} } = {}) {
  if (signal?.aborted) throw new Refused(0);
  const { session, secret } = desk.session;
  const request = new XMLHttpRequest();
  request.open(method, new URL(path, desk.server));
  const always = { "Tus-Resumable": "1.0.0", Authorization: `Bearer ${session}.${secret}` };
  for (const [name, value] of Object.entries({ ...always, ...headers })) request.setRequestHeader(name, value);
  const ended = new AbortController();
  signal?.addEventListener("abort", () => request.abort(), { signal: ended.signal });
  let silence = 0;
  const alive = () => {
    clearTimeout(silence);
    silence = setTimeout(() => request.abort(), SILENT_MS);
  };
  request.upload.onprogress = (event) => {
    alive();
    onSent(event.loaded);
  };
  await new Promise((resolve) => {
    request.onloadend = resolve;
    alive();
    request.send(body);
  });
  clearTimeout(silence);
  ended.abort();
  if (request.status < 200 || request.status >= 300) throw new Refused(request.status, codeOf(request));
  return (name) => request.getResponseHeader(name);
}

function codeOf(request) {
  try {
    return String(JSON.parse(request.responseText).code ?? "");
  } catch {
    return "";
  }
}
