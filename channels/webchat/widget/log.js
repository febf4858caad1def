/**
 * The conversation as one list: what the desk told (entries with numbers) and what was written here and is on its way.
 *
 * An item is {clientId, seq, author, name, text, files, at, buttons, status}. Its seq is null until the desk has stored it;
 * status is "waiting", "sent" (stored) or "shown" (seen as an entry).
 */
export class Log {
  constructor() {
    this.clear();
  }

  clear() {
    this.items = [];
    this.floor = 0;
    this.above = new Set();
  }

  /** A message written here. */
  add(message) {
    const item = {
      clientId: message.id,
      seq: null,
      author: "user",
      name: "",
      text: message.text,
      files: message.files ?? [],
      at: new Date(message.at),
      buttons: [],
      status: "waiting",
    };
    this.items.push(item);
    return item;
  }

  stored(clientId, seq) {
    const item = this.byClientId(clientId);
    if (item && item.status === "waiting") {
      Object.assign(item, { seq, status: "sent" });
      this.sort();
    }
    return item;
  }

  /** An entry of the desk: the item that it made or changed, or null when it was known. */
  take(entry) {
    if (entry.seq <= this.floor || this.above.has(entry.seq)) return null;
    this.count(entry.seq);
    let item = entry.client_id && this.byClientId(entry.client_id);
    if (!item) this.items.push((item = {}));
    Object.assign(item, {
      clientId: entry.client_id || null,
      seq: entry.seq,
      author: entry.author,
      name: entry.name || "",
      text: entry.text,
      files: entry.files ?? [],
      at: new Date(entry.at),
      buttons: entry.buttons || [],
      status: "shown",
    });
    this.sort();
    return item;
  }

  remove(clientId) {
    this.items = this.items.filter((item) => item.clientId !== clientId);
  }

  byClientId(clientId) {
    return this.items.find((item) => item.clientId === clientId);
  }

  /** The newest choices offered since the user last spoke. */
  choices() {
    const answers = this.items.slice(this.items.findLastIndex((item) => item.author === "user") + 1);
    return answers.findLast((item) => item.buttons.length > 0)?.buttons ?? [];
  }

  get highest() {
    return this.items.findLast((item) => item.seq)?.seq ?? 0;
  }

  unreadAfter(seq) {
    return this.items.filter((item) => item.author !== "user" && item.seq > seq).length;
  }

  /**
   * The floor is the number up to which nothing is missing: where the desk must go on after a reconnect. An entry
   * may become visible after one with a higher number, so "the highest number seen" would lose it.
   */
  count(seq) {
    this.above.add(seq);
    while (this.above.delete(this.floor + 1)) this.floor += 1;
  }

  sort() {
    this.items.sort((a, b) => (a.seq ?? Number.MAX_SAFE_INTEGER) - (b.seq ?? Number.MAX_SAFE_INTEGER));
  }
}
