/** The files that will go with the next message: one line each, with how far it is and a way to take it back. */

import { say } from "./strings.js";
import { sizeOf } from "./text.js";

export class Tray {
  /** `onRemove(item)` is called when the user takes a file back. */
  constructor(box, live, onRemove) {
    this.box = box;
    this.live = live;
    this.onRemove = onRemove;
    this.lines = new Map();
    this.language = "en";
  }

  show(items) {
    for (const [item, line] of this.lines) if (!items.includes(item)) this.discard(item, line);
    for (const item of items) {
      if (!this.lines.has(item)) this.lines.set(item, this.create(item));
      this.fill(item);
    }
    this.box.hidden = items.length === 0;
  }

  relabel(language) {
    this.language = language;
    this.box.setAttribute("aria-label", say(language, "files"));
    for (const item of this.lines.keys()) this.fill(item);
  }

  create(item) {
    const line = document.createElement("li");
    const name = Object.assign(document.createElement("span"), { className: "file-name", textContent: item.name });
    const state = Object.assign(document.createElement("span"), { className: "file-state" });
    const bar = Object.assign(document.createElement("progress"), { max: item.size || 1 });
    const remove = Object.assign(document.createElement("button"), { type: "button", className: "plain", textContent: "×" });
    remove.addEventListener("click", () => this.onRemove(item));
    line.append(name, state, bar, remove);
    this.box.append(line);
    return line;
  }

  /** The button beside the one of `item`, below it or else above; undefined when it is the only one. */
  besides(item) {
    const line = this.lines.get(item);
    return (line.nextElementSibling ?? line.previousElementSibling)?.querySelector("button");
  }

  fill(item) {
    const line = this.lines.get(item);
    const [, state, bar, remove] = line.children;
    const text = this.stateOf(item);
    if (state.textContent !== text) {
      state.textContent = text;
      if (item.state === "ready" || item.state === "failed") this.live.textContent = `${item.name}: ${text}`;
    }
    line.dataset.state = item.state;
    bar.hidden = item.state === "ready" || item.state === "failed";
    bar.value = Math.min(item.received + item.sent, item.size);
    bar.setAttribute("aria-label", say(this.language, "fileProgress", { name: item.name }));
    remove.setAttribute("aria-label", say(this.language, "fileRemove", { name: item.name }));
  }

  stateOf(item) {
    if (item.problem) return say(this.language, item.problem.key, item.problem.values);
    const size = sizeOf(item.size, this.language);
    return item.state === "ready" ? say(this.language, "fileReady", { size }) : size;
  }

  discard(item, line) {
    line.remove();
    this.lines.delete(item);
  }
}
