/** Who is there, who types: two lines under the messages. Nothing of it is part of the conversation. */

import { say } from "./strings.js";

const TYPING_MS = 6_000;

export class SituationLines {
  constructor(who, typing) {
    this.who = who;
    this.typing = typing;
    this.language = "en";
    this.state = { with: "bot", name: "", here: false, thinking: false, seen: 0, read: 0 };
    this.typist = "";
  }

  take(state) {
    if (state.with !== "agent") this.stopTyping();
    this.state = state;
    this.show();
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
    setText(this.typing, this.whoTypes());
    // A person typing is worth hearing; the bot's dots would be said after each message.
    this.typing.setAttribute("aria-live", this.typist ? "polite" : "off");
  }

  whoSpeaks() {
    const { with: holder, name, here } = this.state;
    if (holder === "queue") return say(this.language, "personAwaited");
    if (holder !== "agent") return "";
    return say(this.language, here ? "personHere" : "personAway", { name });
  }

  whoTypes() {
    if (this.typist) return say(this.language, "typing", { name: this.typist });
    return this.state.thinking ? say(this.language, "thinking") : "";
  }
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
  element.hidden = text === "";
}
