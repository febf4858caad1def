import { newId } from "./ids.js";

/**
 * What the user sends, in order: one message at a time, the next when the desk has stored the one before.
 *
 * A message is kept in the store until its entry is seen, and sent again with the same id after every reconnect;
 * the desk knows the id and keeps one.
 */
export class Outbox {
  constructor(store, connection) {
    this.store = store;
    this.connection = connection;
    this.queue = [];
    this.inFlight = null;
  }

  /** `message` is {id, type: "message", text, files} or {type: "press", button, text}; `text` is what is shown. */
  add(message) {
    const kept = { id: newId(), ...message, at: Date.now() };
    this.store.keep(kept);
    this.queue.push(kept);
    return kept;
  }

  /** After a reload: what an earlier page left. */
  restore() {
    this.queue = this.store.unsent();
    return this.queue;
  }

  /** After every greeting: whatever was under way starts over. */
  restart() {
    this.inFlight = null;
    this.pump();
  }

  pump() {
    clearTimeout(this.later);
    const next = this.queue[0];
    if (!next || this.inFlight || !this.connection.send(onTheWire(next))) return;
    this.inFlight = next.id;
  }

  stored(id) {
    const message = this.queue.find((one) => one.id === id);
    if (message) this.store.keep({ ...message, stored: true });
    this.leave(id);
    this.pump();
  }

  /** Its entry is there: nobody needs to remember it any more. */
  seen(id) {
    this.store.drop(id);
    this.leave(id);
    this.pump();
  }

  /** In another session the desk would not know them again: what an earlier one stored is not repeated. */
  forgetStored() {
    for (const message of this.store.unsent().filter((one) => one.stored)) this.seen(message.id);
  }

  /** The desk did not take it. Returns the message when it is given up, null when it is tried again. */
  refused(frame) {
    const message = this.queue.find((one) => one.id === frame.id);
    if (!message) return null;
    if (frame.retry_after_seconds !== undefined) {
      this.inFlight = null;
      this.later = setTimeout(() => this.pump(), frame.retry_after_seconds * 1000);
      return null;
    }
    this.seen(frame.id);
    return message;
  }

  stop() {
    clearTimeout(this.later);
  }

  leave(id) {
    this.queue = this.queue.filter((message) => message.id !== id);
    if (this.inFlight === id) this.inFlight = null;
  }
}

function onTheWire({ type, id, text, button, files = [] }) {
  if (type === "press") return { type, id, button };
  return files.length ? { type, id, text, files: files.map((file) => file.id) } : { type, id, text };
}
