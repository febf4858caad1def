/**
 * Files on their way to the desk, ahead of the message that names them (sending.js): those in the tray, and those of
 * messages that are not stored yet.
 *
 * An item belongs to the session in which it began and never enters another: on a shared browser that may be another
 * person's. It leaves the tray with its message, and is let go when the message is stored; a refused one gives it back.
 */
import { Claims, TAB } from "./claims.js";
import { newId } from "./ids.js";
import { Sender } from "./sending.js";
import { ask } from "./tus.js";

/**
 * `owner` has session, limits {maxFileBytes, maxFiles}, newSession(), isUnsent(id) and hears onFiles(). An item's `problem`
 * is {key, values} of a sentence, said when it is shown.
 */
export class Uploads {
  constructor(server, shelf, owner) {
    this.server = server;
    this.path = "/chat/files";
    this.shelf = shelf;
    this.owner = owner;
    this.items = [];
    this.taken = new Map();
    this.claims = new Claims();
    this.sender = new Sender(this);
    this.listeners = new AbortController();
    addEventListener("online", () => this.hurry(), { signal: this.listeners.signal });
  }

  /** What an earlier page left goes on, after `ready`. */
  async restore(ready) {
    await ready;
    for (const record of await this.shelf.all()) this.takeUp(record);
  }

  async takeUp({ key, tab }) {
    if (this.stopped || this.knows(key) || !(await this.claims.take(key, tab === TAB))) return;
    const record = await this.shelf.get(key); // again: the tab that had it may have sent or removed it
    if (this.stopped) return;
    if (!record || !this.isOurs(record)) {
      this.forgetKey(key);
      return;
    }
    const item = fresh(record);
    this.keep(item);
    if (record.message) this.taken.set(record.message, [...(this.taken.get(record.message) ?? []), item]);
    else this.begin(item);
    this.changed();
  }

  /** Not of a session that is over, nor of a message that has been stored meanwhile. */
  isOurs({ session, message }) {
    if (session && session !== this.owner.session?.session) return false;
    return !message || this.owner.isUnsent(message);
  }

  knows(key) {
    return [...this.items, ...[...this.taken.values()].flat()].some((item) => item.key === key);
  }

  add(files) {
    const session = this.owner.session?.session ?? null;
    for (const file of files) {
      const item = fresh({ key: newId(), at: Date.now(), name: file.name || "file", size: file.size, file, session });
      item.problem = this.problemOf(file);
      if (item.problem) item.state = "failed";
      else this.claims.take(item.key, true);
      this.keep(item);
      this.begin(item);
    }
    this.changed();
  }

  /** What can be told without asking the desk. */
  problemOf(file) {
    const { maxFileBytes, maxFiles } = this.owner.limits;
    if (file.size === 0) return { key: "fileEmpty" };
    if (file.size > maxFileBytes) return { key: "fileTooLarge", values: { megabytes: Math.floor(maxFileBytes / 2 ** 20) } };
    if (this.items.length >= maxFiles) return { key: "fileTooMany", values: { files: maxFiles } };
    return null;
  }

  begin(item) {
    this.items.push(item);
    if (item.state === "waiting") this.sender.carry(item);
  }

  /** Files of an earlier session cannot go with a message of this one. */
  keepTo(session) {
    for (const item of this.items) if (item.session && item.session !== session) this.fail(item, "fileFailed");
    this.changed();
  }

  changed() {
    this.owner.onFiles();
  }

  /** Takes a file away again, here and at the desk. */
  remove(item) {
    this.leave(item);
    this.throwAway([item]);
    this.changed();
  }

  /** The finished files leave with the message of this id: [{id, name, size}]. */
  take(message) {
    const ready = this.items.filter((item) => item.state === "ready");
    this.items = this.items.filter((item) => item.state !== "ready");
    for (const item of ready) this.keep(Object.assign(item, { message }));
    if (ready.length > 0) this.taken.set(message, ready);
    return ready.map((item) => ({ id: idOf(item), name: item.name, size: item.size }));
  }

  /** From now on the message's files are the desk's. */
  stored(message) {
    for (const item of this.taken.get(message) ?? []) this.leave(item);
    this.taken.delete(message);
  }

  /** The message was refused: its files are for the next one. Those that the desk has given away are sent anew. */
  giveBack({ id, files = [] }, code) {
    const had = this.taken.get(id) ?? [];
    this.taken.delete(id);
    for (const file of files) {
      const item = had.find((one) => idOf(one) === file.id) ?? this.named(file);
      Object.assign(item, { message: null, received: 0, state: "waiting", problem: null });
      if (code === "file_used") item.location = null;
      this.keep(item);
      this.begin(item);
    }
    this.changed();
  }

  /** A file of which only the message remembers anything. */
  named({ id, name, size }) {
    const session = this.owner.session?.session ?? null;
    return fresh({ key: newId(), at: Date.now(), name, size, location: `${this.path}/${id}`, session });
  }

  /** Forgets the drawer's files, and after that at the desk; resolves when no later page can find them. */
  async forget(session) {
    const kept = await this.shelf.forget();
    this.throwAway([...kept, ...this.items, ...[...this.taken.values()].flat()], session);
  }

  /** The desk throws away by itself what it does not hear of now. */
  throwAway(items, session = this.owner.session) {
    const ours = items.filter((item) => item.location && item.session === session?.session);
    for (const location of new Set(ours.map((item) => item.location))) {
      ask({ server: this.server, session }, "DELETE", location).catch(() => {});
    }
  }

  get stopped() {
    return this.listeners.signal.aborted;
  }

  stop() {
    this.listeners.abort();
    this.claims.stop();
    for (const item of this.items) item.ending.abort();
    this.hurry();
  }

  hurry() {
    for (const item of this.items) item.wake?.();
  }

  leave(item) {
    this.items = this.items.filter((one) => one !== item);
    item.ending.abort();
    item.wake?.();
    this.forgetKey(item.key);
  }

  forgetKey(key) {
    this.shelf.drop(key);
    this.claims.drop(key);
  }

  /** Nothing that comes late brings a file back that was removed, or that is another user's business now. */
  keep(item) {
    if (this.goesOn(item) && item.state !== "failed") this.shelf.keep(record(item));
  }

  goesOn(item) {
    return !this.stopped && !item.ending.signal.aborted;
  }

  fail(item, key) {
    if (!this.goesOn(item)) return;
    Object.assign(item, { state: "failed", problem: { key } });
    this.forgetKey(item.key);
  }
}

/** An item as it is before anything of it has been sent from this page; `sent` are bytes of the piece under way. */
function fresh(known) {
  const nothing = { file: null, location: null, session: null, message: null };
  const start = { received: 0, sent: 0, state: "waiting", problem: null, ending: new AbortController() };
  return { ...nothing, ...known, ...start };
}

/** What is worth keeping; the bytes of a finished file are not. */
function record({ key, at, name, size, file, location, session, message, state }) {
  return { key, at, tab: TAB, name, size, location, session, message, file: state === "ready" ? null : file };
}

function idOf(item) {
  return item.location?.split("/").pop();
}
