/** The messages on the screen, one element per item of the log, in the log's order. */

import { say } from "./strings.js";
import { clockTime, day, linked } from "./text.js";

export class MessageList {
  constructor(box, before) {
    this.box = box;
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
    for (const name of ["day", "who", "text", "state"]) {
      const part = document.createElement("p");
      part.className = name;
      element.append(part);
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
    const [, who, text, state] = element.children;
    setText(who, `${this.nameOf(item)} · ${clockTime(item.at, this.language)}`);
    if (text.textContent !== item.text) text.replaceChildren(...linked(item.text, this.origins));
    setText(state, this.stateOf(item));
  }

  /** A message on its way over a working line says nothing: that lasts a moment. */
  stateOf(item) {
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
