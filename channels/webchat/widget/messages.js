/** The messages on the screen, one element per item of the log, in the log's order. */

import { say } from "./strings.js";
import { clockTime, day, linked, sizeOf } from "./text.js";

export class MessageList {
  /** `onFile(file)` is called when the user wants a file of theirs back. */
  constructor(box, before, onFile) {
    this.box = box;
    this.onFile = onFile;
    this.seen = 0;
    this.before = before;
    this.elements = new Map();
    this.origins = [];
    this.language = "en";
    this.online = true;
    box.append(before);
    this.following = true;
    box.addEventListener("scroll", () => this.onScroll());
    new ResizeObserver(() => this.onResize()).observe(box);
  }

  /**
   * Shows exactly `items`. Elements that are there stay, so that a screen reader hears only what is new; `quietly`
   * says nothing at all (history).
   */
  show(items, { quietly = false } = {}) {
    if (quietly) this.hush();
    this.newestOwn = items.findLast((item) => item.author === "user" && item.seq);
    for (const [item, element] of this.elements) {
      if (!items.includes(item)) this.discard(item, element);
    }
    let previous = this.before;
    for (const item of items) {
      const element = this.elements.get(item) ?? this.create(item);
      if (previous.nextElementSibling !== element) previous.after(element);
      this.fill(element, item);
      previous = element;
    }
    this.markDays(items);
    if (this.following) this.toEnd();
  }

  /** Only a scroll in a box of the same height is the reader's wish; the browser scrolls before it tells of a resize. */
  onScroll() {
    const { scrollHeight, scrollTop, clientHeight } = this.box;
    if (clientHeight === this.height) this.following = scrollHeight - scrollTop - clientHeight < 60;
  }

  /** The box shrinks when choices or a notice appear beside it; who reads the end goes on reading it. */
  onResize() {
    this.height = this.box.clientHeight;
    if (this.following) this.toEnd();
  }

  toEnd() {
    this.box.scrollTop = this.box.scrollHeight;
  }

  hush() {
    this.box.setAttribute("aria-live", "off");
    requestAnimationFrame(() => this.box.setAttribute("aria-live", "polite"));
  }

  relabel(language) {
    this.language = language;
    this.refill();
    this.markDays([...this.box.querySelectorAll(".item")].map((element) => element.item));
  }

  setOnline(online) {
    this.online = online;
    this.refill();
  }

  refill() {
    for (const [item, element] of this.elements) this.fill(element, item);
  }

  create(item) {
    const element = document.createElement("div");
    element.item = item;
    for (const [tag, name] of [["p", "day"], ["p", "who"], ["p", "text"], ["ul", "files"], ["p", "state"]]) {
      element.append(Object.assign(document.createElement(tag), { className: name }));
    }
    this.elements.set(item, element);
    return element;
  }

  discard(item, element) {
    element.remove();
    this.elements.delete(item);
  }

  fill(element, item) {
    element.className = `item ${item.author}`;
    element.dataset.status = item.status;
    const [, who, text, files, state] = element.children;
    setText(who, `${this.nameOf(item)} · ${clockTime(item.at, this.language)}`);
    if (text.textContent !== item.text) text.replaceChildren(...linked(item.text, this.origins));
    text.hidden = item.text === "";
    this.fillFiles(files, item);
    setText(state, this.stateOf(item));
  }

  fillFiles(list, item) {
    list.hidden = item.files.length === 0;
    const shown = JSON.stringify([this.language, item.files, item.seq !== null]);
    if (list.shown === shown) return;
    list.shown = shown;
    list.replaceChildren(...item.files.map((file) => this.fileLine(file, item)));
  }

  /** A file can be had back once it is kept; before that it is only named. */
  fileLine(file, item) {
    const line = document.createElement("li");
    const label = `${file.name} · ${sizeOf(file.size, this.language)}`;
    if (item.seq === null) return Object.assign(line, { textContent: label });
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: label });
    button.title = say(this.language, "fileSave", { name: file.name });
    button.addEventListener("click", () => this.onFile(file));
    line.append(button);
    return line;
  }

  setSeen(seq) {
    this.seen = seq;
    this.refill();
  }

  /** A message on its way over a working line says nothing: that lasts a moment. */
  stateOf(item) {
    if (item === this.newestOwn) return say(this.language, item.seq <= this.seen ? "seen" : "sent");
    if (item.status === "sent") return say(this.language, "sent");
    return item.status === "waiting" && !this.online ? say(this.language, "waiting") : "";
  }

  /** The kind of author is always said in words: an agent's name alone would not tell a person from a bot. */
  nameOf(item) {
    if (item.author === "user") return say(this.language, "you");
    const kind = say(this.language, item.author);
    return item.name && item.author === "agent" ? `${item.name} (${kind})` : kind;
  }

  markDays(items) {
    let previous = "";
    for (const item of items) {
      const today = day(item.at, this.language);
      setText(this.elements.get(item).children[0], today === previous ? "" : today);
      previous = today;
    }
  }
}

/** Touching an element only when it changes keeps screen readers quiet. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
  element.hidden = text === "";
}
