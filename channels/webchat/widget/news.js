/** Notices to subscribers, above the conversation and not part of it, and the button to get them or no more of them. */

import { say } from "./strings.js";
import { dayAndTime } from "./text.js";

export class News {
  /** `press(name)`: "subscribe" or "unsubscribe". `closed(newest)`: the user closed the list. */
  constructor(press, closed) {
    this.list = make("details", { className: "news", hidden: true });
    this.summary = make("summary", {});
    this.items = make("div", {});
    this.list.append(this.summary, this.items);
    this.summary.addEventListener("click", () => this.list.open && closed(this.newest));
    this.button = make("button", { type: "button", className: "subscription", hidden: true });
    this.button.addEventListener("click", () => press(this.wish));
    this.language = "en";
    this.reset();
  }

  /** `lastClosed`: what is newer than this is shown open. A desk that says nothing of notices shows nothing. */
  take({ subscribed, items }, lastClosed) {
    this.subscribed = subscribed;
    this.shown = items;
    this.button.hidden = false;
    this.list.hidden = items.length === 0;
    this.list.open = this.newest > lastClosed;
    this.show();
  }

  reset() {
    this.subscribed = false;
    this.shown = [];
    this.button.hidden = this.list.hidden = true;
  }

  relabel(language) {
    this.language = language;
    this.show();
  }

  get newest() {
    return this.shown[0]?.id ?? 0;
  }

  get wish() {
    return this.subscribed ? "unsubscribe" : "subscribe";
  }

  show() {
    this.summary.textContent = say(this.language, "news", { count: this.shown.length });
    this.button.textContent = say(this.language, this.wish);
    this.items.replaceChildren(...this.shown.flatMap((item) => this.item(item)));
  }

  item({ title, text, at }) {
    const when = new Date(at);
    return [
      make("h3", { textContent: title }),
      make("time", { dateTime: when.toISOString(), textContent: dayAndTime(when, this.language) }),
      make("p", { textContent: text }),
    ];
  }
}

function make(tag, properties) {
  return Object.assign(document.createElement(tag), properties);
}
