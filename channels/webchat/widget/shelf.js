/**
 * Files that are on their way, kept in IndexedDB so that an upload goes on after a reload. Without it (blocked, private
 * window) uploads work and are forgotten on reload.
 *
 * One drawer per desk and signed-in user, as in the store. A record is {key, at, tab, name, size, file, location, session,
 * message}: `session` is the one that the file belongs to, `message` the one that names it and is not stored yet.
 */
const DATABASE = "redress-chat";
const TABLE = "files";
const LIFE_MS = 24 * 3600 * 1000;

export class Shelf {
  constructor(drawer) {
    this.drawer = drawer;
  }

  /** Oldest first. What the desk has thrown away by now is not kept here either. */
  async all() {
    const records = await this.each((record, table) => {
      if (record.at < Date.now() - LIFE_MS) table.delete(record.key);
    });
    return records.filter((record) => record.at >= Date.now() - LIFE_MS).sort((a, b) => a.at - b.at);
  }

  async get(key) {
    const record = await ask("readonly", (table) => table.get(key));
    return record?.drawer === this.drawer ? record : undefined;
  }

  keep(record) {
    return ask("readwrite", (table) => table.put({ ...record, drawer: this.drawer }));
  }

  drop(key) {
    return ask("readwrite", (table) => table.delete(key));
  }

  /** Erases the drawer; what was in it. */
  forget() {
    return this.each((record, table) => table.delete(record.key));
  }

  /** Takes over all that is in another drawer. */
  adopt(other) {
    return other.each((record, table) => table.put({ ...record, drawer: this.drawer }));
  }

  /** Does `act` to every record of the drawer, all or none; the records as they were. */
  async each(act) {
    let mine = [];
    await ask("readwrite", (table) => {
      const asked = table.getAll();
      asked.onsuccess = () => {
        mine = asked.result.filter((record) => record.drawer === this.drawer);
        for (const record of mine) act(record, table);
      };
      return asked;
    });
    return mine;
  }
}

/** One transaction. They are begun in the order in which they are asked for, so a later one sees the earlier. */
async function ask(mode, act) {
  try {
    const transaction = (await opened()).transaction(TABLE, mode);
    const asked = act(transaction.objectStore(TABLE));
    return await new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(asked.result);
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
  } catch {
    return undefined;
  }
}

let database = null;

function opened() {
  return (database ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(TABLE, { keyPath: "key" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  }));
}
