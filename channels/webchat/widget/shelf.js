/**
 * Files that are on their way, kept in IndexedDB so that an upload goes on after a reload. Without it (blocked, private
 * window) uploads work and are forgotten on reload.
 */
const DATABASE = "redress-chat";
const TABLE = "files";

export class Shelf {
  constructor(drawer) {
    this.drawer = drawer;
  }

  /** Records {key, name, size, file, location, session}, oldest first. */
  async all() {
    const records = (await this.ask("readonly", (table) => table.getAll())) ?? [];
    return records.filter((record) => record.drawer === this.drawer).sort((a, b) => a.at - b.at);
  }

  keep(record) {
    return this.ask("readwrite", (table) => table.put({ ...record, drawer: this.drawer }));
  }

  drop(key) {
    return this.ask("readwrite", (table) => table.delete(key));
  }

  async forget() {
    for (const { key } of await this.all()) await this.drop(key);
  }

  async ask(mode, act) {
    try {
      this.database ??= await opened();
      const transaction = this.database.transaction(TABLE, mode);
      const asked = act(transaction.objectStore(TABLE));
      return await new Promise((resolve, reject) => {
        transaction.oncomplete = () => resolve(asked.result);
        transaction.onabort = transaction.onerror = () => reject(transaction.error);
      });
    } catch {
      return undefined;
    }
  }
}

function opened() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(TABLE, { keyPath: "key" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
