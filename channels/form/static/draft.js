/**
 * What was typed and which files are on their way, so that both are there again when the page was left and opened anew.
 *
 * It is kept in sessionStorage: it never leaves this device, and tabs that are opened later do not see it; a browser may
 * bring it back with a tab that was closed, so the page says what to do on a shared device. A draft at the desk would
 * have to be found again by a cookie or a link, and would outlive a shared device's user for sure.
 */
const PREFIX = "redress-form:";
const LIFE_MS = 24 * 60 * 60 * 1000;
const NEVER_KEPT = new Set(["form", "topic", "adds", "upload", "website", "files"]);
const MARKED_BYTES = 1024 * 1024;

export class Draft {
  /** `name`: "new", or the id of the complaint that is added to. */
  constructor(name) {
    this.key = PREFIX + name;
    this.typed = {};
    this.at = Date.now();
  }

  /** {token, typed, files} of an earlier visit, or null. */
  load() {
    for (const key of keys()) if (!(Date.now() - read(key)?.at < LIFE_MS)) forget(key);
    const found = read(this.key);
    if (found !== null) ({ typed: this.typed, at: this.at } = found);
    return found;
  }

  /** Answers to questions that this page does not ask are kept: they belong to another topic, and it may come back. */
  save(form, token, files) {
    for (const field of fieldsOf(form)) if (field.type !== "radio" || field.checked) this.typed[field.name] = field.value;
    write(this.key, { token, at: this.at, typed: this.typed, files });
  }

  forget() {
    forget(this.key);
  }
}

/** Whether anything was there to be put back. */
export function fillIn(form, typed) {
  let some = false;
  for (const field of fieldsOf(form)) {
    const value = typed[field.name];
    if (value === undefined) continue;
    if (field.type === "radio") field.checked = field.value === value;
    else if (value) [field.value, some] = [value, true];
  }
  for (const more of form.querySelectorAll("details")) {
    if (fieldsOf(more).some((field) => field.value)) more.open = true;
  }
  return some;
}

/** Once a complaint is filed nothing of it stays in the browser, but for `adding`: the draft of what is added to it. */
export function forgetFiled(token, adding = null) {
  for (const key of keys()) if (key !== adding?.key && read(key)?.token === token) forget(key);
}

/**
 * By what a file is known again that is chosen a second time: a hash of its first and its last piece, and when it was
 * changed. null where the browser computes none (a page without https): then it is sent anew, for two files must never
 * become one.
 */
export async function markOf(file) {
  if (!globalThis.crypto?.subtle) return null;
  try {
    const ends = new Blob([file.slice(0, MARKED_BYTES), file.slice(-MARKED_BYTES)]);
    const digest = await crypto.subtle.digest("SHA-256", await ends.arrayBuffer());
    const hash = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return `${hash}-${file.lastModified}`;
  } catch {
    return null; // it cannot be read: whoever sends it finds out, and says so
  }
}

function fieldsOf(part) {
  const fields = [...part.querySelectorAll("input, textarea")];
  return fields.filter((field) => field.type !== "file" && !NEVER_KEPT.has(field.name));
}

// The browser may forbid storage, or have no room: then nothing is kept, and the form works all the same.

function keys() {
  try {
    return Object.keys(sessionStorage).filter((key) => key.startsWith(PREFIX));
  } catch {
    return [];
  }
}

function read(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key));
  } catch {
    return null;
  }
}

function write(key, value) {
  try {
    sessionStorage.setItem(key, JSON.stringify(value));
  } catch {
    forget(key);
  }
}

function forget(key) {
  try {
    sessionStorage.removeItem(key);
  } catch {
    // there is nothing to forget
  }
}
