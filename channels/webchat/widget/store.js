/**
 * What the browser keeps: the session, the language, how far was read, and messages whose arrival is not seen yet.
 *
 * One drawer per desk and signed-in user, so that two people who share a browser do not see each other's chat.
 * Each unsent message has a key of its own: two tabs never overwrite each other's list. Without localStorage
 * (blocked, full) the chat works and forgets on reload.
 */
export class Store {
  constructor(server, user) {
    this.drawer = `redress-chat:${server}:${user || "guest"}:`;
  }

  get session() {
    return readJson(this.drawer + "session");
  }

  set session(session) {
    write(this.drawer + "session", session && JSON.stringify(session));
  }

  get lastRead() {
    return Number(read(this.drawer + "read")) || 0;
  }

  set lastRead(seq) {
    write(this.drawer + "read", seq ? String(seq) : null);
  }

  /** The newest notice whose list was closed by the user. */
  get lastNews() {
    return Number(read(this.drawer + "news")) || 0;
  }

  set lastNews(id) {
    write(this.drawer + "news", id ? String(id) : null);
  }

  get language() {
    return read(this.drawer + "language");
  }

  set language(language) {
    write(this.drawer + "language", language);
  }

  /** Messages to send (again), oldest first. */
  unsent() {
    return keys(this.drawer + "unsent:")
      .map(readJson)
      .filter((message) => message !== null && typeof message.id === "string")
      .sort((a, b) => a.at - b.at);
  }

  isUnsent(id) {
    return this.unsent().some((message) => message.id === id && !message.stored);
  }

  keep(message) {
    write(this.drawer + "unsent:" + message.id, JSON.stringify(message));
  }

  drop(id) {
    write(this.drawer + "unsent:" + id, null);
  }

  get isEmpty() {
    return this.session === null && this.unsent().length === 0;
  }

  /** Takes over a guest's chat when the guest signs in and has no chat as that user yet; false when they have one. */
  adopt(other) {
    if (!this.isEmpty) return false;
    for (const key of keys(other.drawer)) {
      write(this.drawer + key.slice(other.drawer.length), read(key));
    }
    other.forget();
    return true;
  }

  forget() {
    for (const key of keys(this.drawer)) write(key, null);
  }
}

function read(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function readJson(key) {
  try {
    return JSON.parse(read(key));
  } catch {
    return null;
  }
}

/** Null removes. */
function write(key, value) {
  try {
    if (value === null || value === undefined) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    /* Blocked or full: the message is still in memory and on its way. */
  }
}

function keys(prefix) {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(prefix));
  } catch {
    return [];
  }
}
