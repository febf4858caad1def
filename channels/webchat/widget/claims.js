/**
 * Which tab has a file in its tray. Tabs share what the browser keeps, but a file that is on its way belongs to one of
 * them: two would send it twice, and one would lose it when the other sends its message.
 *
 * A tab holds a lock per file while it lives. After a reload it waits for its own files until the page before has let
 * go; a file of another tab it takes only when that tab is gone. Where there are no locks (plain http) each tab has its
 * own files and no others.
 */
import { newId } from "./ids.js";

const LOCK = "redress-chat:file:";
const REMEMBERED = "redress-chat:tab";

/** The name of this tab; a reload does not change it. */
export const TAB = tabName();

export class Claims {
  constructor() {
    this.held = new Map();
    this.ending = new AbortController();
  }

  /** True once the file is ours; false when another tab has it. `patient` waits for whoever has it now. */
  take(key, patient) {
    if (!navigator.locks) return Promise.resolve(patient);
    const options = patient ? { signal: this.ending.signal } : { ifAvailable: true };
    return new Promise((resolve) => {
      const hold = (lock) => {
        const ours = lock !== null && !this.ending.signal.aborted;
        resolve(ours);
        return ours ? new Promise((release) => this.held.set(key, release)) : null;
      };
      navigator.locks.request(LOCK + key, options, hold).catch(() => resolve(false));
    });
  }

  drop(key) {
    this.held.get(key)?.();
    this.held.delete(key);
  }

  stop() {
    this.ending.abort();
    for (const key of [...this.held.keys()]) this.drop(key);
  }
}

function tabName() {
  try {
    const name = sessionStorage.getItem(REMEMBERED) ?? newId();
    sessionStorage.setItem(REMEMBERED, name);
    return name;
  } catch {
    return newId();
  }
}
