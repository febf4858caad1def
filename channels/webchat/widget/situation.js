/** Who is there, who types: lines under the messages. Nothing of it is part of the conversation. */

import { say } from "./strings.js";

const TYPING_MS = 6_000;
const NOBODY = { with: "bot", name: "", here: false, thinking: false, seen: 0, read: 0 };

export class SituationLines {
  /** The lines are always there, empty: a screen reader speaks only of changes in what it knows already. */
  constructor() {
    this.typing = line("typing", "polite");
    // A person typing is worth hearing; the bot's work would be said after each message.
    this.thinking = line("thinking", "off");
    this.who = line("who-is-there", "polite");
    this.who.setAttribute("role", "status");
    this.language = "en";
    this.state = NOBODY;
    this.typist = "";
  }

  get lines() {
    return [this.typing, this.thinking, this.who];
  }

  take(state) {
    if (state.with !== "agent") this.stopTyping();
    this.state = state;
    this.show();
  }

  reset() {
    this.take(NOBODY);
  }

  agentTypes(name) {
    this.typist = name;
    clearTimeout(this.ending);
    this.ending = setTimeout(() => this.stopTyping(), TYPING_MS);
    this.show();
  }

  stopTyping() {
    clearTimeout(this.ending);
    this.typist = "";
    this.show();
  }

  relabel(language) {
    this.language = language;
    this.show();
  }

  show() {
    setText(this.who, this.whoSpeaks());
    setText(this.typing, this.typist && say(this.language, "typing", { name: this.typist }));
    setText(this.thinking, this.state.thinking && !this.typist ? say(this.language, "thinking") : "");
  }

  whoSpeaks() {
    const { with: holder, name, here } = this.state;
    if (holder === "queue") return say(this.language, "personAwaited");
    if (holder !== "agent") return "";
    return say(this.language, here ? "personHere" : "personAway", { name });
  }
}

function line(name, live) {
  const element = Object.assign(document.createElement("p"), { className: name });
  element.setAttribute("aria-live", live);
  return element;
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
