/** What is seen: launcher, panel, messages. Tells its owner what the user wants; knows nothing of the network. */

import { say } from "./strings.js";
import { MessageList } from "./messages.js";
import { News } from "./news.js";
import { SituationLines } from "./situation.js";
import { SHEET } from "./style.js";
import { Tray } from "./tray.js";

/**
 * `owner` hears onOpen(), onClose(), onText(text), onPress(name, title), onLanguage(), onTyping(), onAttach(files),
 * onDetach(item), onFile(file), onNewsClosed(newest).
 */
export class View {
  constructor(root, owner, { asPage, language }) {
    this.owner = owner;
    this.asPage = asPage;
    this.language = language;
    this.maxCharacters = 4000;
    root.adoptedStyleSheets = [SHEET];
    this.build(root);
    this.relabel(language);
    this.setState("closed");
  }

  build(root) {
    this.launcher = make("button", { type: "button", className: "launcher", part: "launcher" });
    this.launcher.addEventListener("click", () => (this.isOpen ? this.close() : this.open()));
    this.panel = make("section", { className: "panel", id: "panel" });
    this.panel.setAttribute("role", this.asPage ? "region" : "dialog");
    this.panel.setAttribute("aria-labelledby", "title");
    this.launcher.setAttribute("aria-controls", "panel");
    this.panel.append(this.buildHead(), this.buildStatus(), this.buildQuestion(), this.buildNews(), this.buildLog(), ...this.buildSituation(), this.buildFoot());
    this.panel.addEventListener("keydown", (event) => this.onKey(event));
    this.panel.hidden = !this.asPage;
    this.launcher.hidden = this.asPage;
    root.append(this.panel, this.launcher);
  }

  buildHead() {
    this.title = make("h2", { id: "title" });
    this.toggle = make("button", { type: "button", className: "plain" });
    this.toggle.addEventListener("click", () => this.owner.onLanguage());
    this.closer = make("button", { type: "button", className: "plain", textContent: "×" });
    this.closer.addEventListener("click", () => this.close());
    this.toggle.hidden = this.closer.hidden = this.asPage;
    const head = make("header", {});
    head.append(this.title, this.toggle, this.closer);
    return head;
  }

  buildStatus() {
    this.status = make("p", { className: "status" });
    this.status.setAttribute("role", "status");
    return this.status;
  }

  /** A question of the desk that stands above the conversation until it is answered. */
  buildQuestion() {
    this.question = make("section", { className: "question", hidden: true });
    this.question.setAttribute("aria-labelledby", "question");
    this.asked = make("p", { id: "question", tabIndex: -1 });
    this.yes = make("button", { type: "button", className: "yes" });
    this.no = make("button", { type: "button" });
    const answers = make("div", { className: "choices" });
    answers.append(this.yes, this.no);
    this.question.append(this.asked, answers);
    return this.question;
  }

  /** `answered(yes)` is called once. */
  ask(sentence, answered) {
    this.asked.textContent = sentence;
    this.question.hidden = false;
    this.yes.onclick = () => this.answer(answered, true);
    this.no.onclick = () => this.answer(answered, false);
    this.asked.focus();
  }

  answer(answered, yes) {
    this.question.hidden = true;
    this.rest();
    answered(yes);
  }

  buildNews() {
    const closed = (newest) => this.owner.onNewsClosed(newest);
    this.news = new News((name) => this.press(name, say(this.language, name)), closed);
    return this.news.list;
  }

  buildLog() {
    this.notice = make("p", { className: "notice" });
    this.scroller = make("div", { className: "log", tabIndex: 0 });
    this.scroller.setAttribute("role", "log");
    this.scroller.setAttribute("aria-live", "polite");
    this.messages = new MessageList(this.scroller, this.notice, (file) => this.owner.onFile(file));
    return this.scroller;
  }

  buildSituation() {
    this.situation = new SituationLines();
    return this.situation.lines;
  }

  buildTray() {
    this.files = make("ul", { className: "tray", hidden: true });
    this.filesLive = make("p", { className: "unseen" });
    this.filesLive.setAttribute("role", "status");
    this.tray = new Tray(this.files, this.filesLive, (item) => this.detach(item));
    this.picker = make("input", { type: "file", multiple: true, hidden: true });
    this.picker.addEventListener("change", () => {
      this.attach([...this.picker.files]);
      this.picker.value = "";
    });
    this.attacher = make("button", { type: "button", className: "attach" });
    this.attacher.addEventListener("click", () => this.picker.click());
    this.panel.addEventListener("dragover", (event) => this.onDrag(event));
    this.panel.addEventListener("dragleave", () => this.panel.classList.remove("dropping"));
    this.panel.addEventListener("drop", (event) => this.onDrop(event));
  }

  buildFoot() {
    this.choices = make("div", { className: "choices", hidden: true });
    this.choices.setAttribute("role", "group");
    this.person = make("button", { type: "button", className: "person" });
    this.person.addEventListener("click", () => this.press("person", say(this.language, "person")));
    this.label = make("label", { htmlFor: "text", className: "unseen" });
    this.input = make("textarea", { id: "text", rows: 2 });
    this.input.setAttribute("aria-describedby", "hint problem");
    this.input.addEventListener("input", () => this.onInput());
    this.input.addEventListener("compositionstart", () => this.stopWaiting());
    this.input.addEventListener("paste", (event) => this.onPaste(event));
    this.sender = make("button", { type: "submit" });
    this.hint = make("p", { id: "hint", className: "hint" });
    this.problem = make("p", { id: "problem", className: "problem" });
    this.problem.setAttribute("role", "alert");
    const form = make("form", {});
    form.addEventListener("submit", (event) => this.submit(event));
    this.buildTray();
    form.append(this.label, this.attacher, this.picker, this.input, this.sender);
    const foot = make("footer", {});
    foot.append(this.choices, this.problem, this.files, this.filesLive, form, this.hint, this.person, this.news.button);
    return foot;
  }

  get isOpen() {
    return !this.panel.hidden;
  }

  open() {
    this.panel.hidden = false;
    this.launcher.setAttribute("aria-expanded", "true");
    this.rest();
    this.messages.toEnd();
    this.owner.onOpen();
  }

  close() {
    if (this.asPage) return;
    this.panel.hidden = true;
    this.launcher.setAttribute("aria-expanded", "false");
    this.launcher.focus();
    this.owner.onClose();
  }

  onKey(event) {
    // Enter and Escape also end the choice of a Chinese word; 229 is how Safari says so after the fact.
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Escape") this.close();
    if (event.key === "Enter" && !event.shiftKey && event.target === this.input) this.submit(event);
  }

  submit(event) {
    event.preventDefault();
    const text = this.input.value.trim();
    const items = [...this.tray.lines.keys()];
    const over = [...text].length - this.maxCharacters;
    if (over > 0) this.showProblem(say(this.language, "tooLong", { over }));
    if ((!text && items.length === 0) || over > 0) return;
    if (items.some((item) => item.state === "failed")) return this.showProblem(say(this.language, "fileInTheWay"));
    this.awaited = items.some((item) => item.state !== "ready") ? items : null;
    if (this.awaited) return this.showProblem(say(this.language, "fileWaits"));
    this.input.value = "";
    this.showProblem("");
    this.owner.onText(text);
  }

  /** A message whose files were still on their way leaves by itself when they are there: just as it was sent. */
  showFiles(items) {
    this.tray.show(items);
    if (!this.awaited) return;
    const same = items.length === this.awaited.length && items.every((item) => this.awaited.includes(item));
    if (!same) return this.stopWaiting();
    if (items.some((item) => item.state === "failed")) return this.stopWaiting("fileInTheWay");
    if (items.some((item) => item.state !== "ready")) return;
    this.awaited = null;
    this.submit(new Event("submit", { cancelable: true }));
  }

  /** What the user changes after "send" is not what they sent: then only they know when it is complete. */
  stopWaiting(key = "fileWaitsNoMore") {
    if (!this.awaited) return;
    this.awaited = null;
    this.showProblem(say(this.language, key), { stands: true });
  }

  onInput() {
    this.stopWaiting();
    if (!this.stands) this.showProblem("");
    if (this.input.value) this.owner.onTyping();
  }

  attach(files) {
    if (files.length === 0) return;
    this.showProblem("");
    this.owner.onAttach(files);
    this.rest();
  }

  /** The focus must not fall out of the chat with the line that had it. */
  detach(item) {
    const next = this.tray.besides(item);
    this.owner.onDetach(item);
    (next ?? this.attacher).focus();
  }

  onPaste(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    this.attach(files);
  }

  onDrag(event) {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    this.panel.classList.add("dropping");
  }

  onDrop(event) {
    this.panel.classList.remove("dropping");
    const files = [...event.dataTransfer.files];
    if (files.length === 0) return;
    event.preventDefault();
    this.attach(files);
  }

  press(name, title) {
    this.rest();
    this.owner.onPress(name, title);
  }

  /** Where the focus goes by itself: to the input, except on a touch screen, where that would raise the keyboard. */
  rest() {
    (matchMedia("(pointer: coarse)").matches ? this.scroller : this.input).focus();
  }

  /** Gives a text back that the desk did not take; nothing typed since is lost. */
  giveBack(text, problem) {
    this.stopWaiting();
    this.input.value = [text, this.input.value].filter(Boolean).join("\n");
    this.showProblem(problem);
  }

  /** Another user, another chat: nothing stays of what the one before had typed or was told. */
  reset() {
    this.awaited = null;
    this.input.value = "";
    this.showProblem("");
    this.situation.reset();
    this.news.reset();
    this.messages.setSeen(0);
  }

  /** `stands`: typing on does not take it away. */
  showProblem(sentence, { stands = false } = {}) {
    this.stands = stands;
    this.problem.textContent = sentence;
  }

  showChoices(buttons) {
    this.choices.hidden = buttons.length === 0;
    this.choices.replaceChildren(...buttons.map(({ name, title }) => this.choice(name, title)));
  }

  choice(name, title) {
    const button = make("button", { type: "button", textContent: title });
    button.addEventListener("click", () => this.press(name, title));
    return button;
  }

  /** "closed" (not connected yet), "connecting", "online", "offline" */
  setState(state) {
    this.state = state;
    const quiet = state === "online" || state === "closed";
    this.status.textContent = quiet ? "" : say(this.language, state);
    this.panel.dataset.state = state;
    this.messages.setOnline(quiet);
  }

  setUnread(count) {
    this.unread = count;
    this.launcher.textContent = count ? String(count) : "";
    const label = count ? say(this.language, "openUnread", { count }) : say(this.language, "open");
    this.launcher.setAttribute("aria-label", label);
  }

  relabel(language) {
    this.language = language;
    this.panel.lang = this.launcher.lang = language === "zh" ? "zh-CN" : language;
    for (const name of ["title", "notice", "hint", "person"]) this[name].textContent = say(language, name);
    this.label.textContent = say(language, "input");
    this.input.placeholder = say(language, "placeholder");
    this.sender.textContent = say(language, "send");
    this.yes.textContent = say(language, "joinYes");
    this.no.textContent = say(language, "joinNo");
    this.toggle.textContent = say(language, "otherLanguage");
    this.toggle.lang = language === "en" ? "zh" : "en";
    this.closer.setAttribute("aria-label", say(language, "close"));
    this.scroller.setAttribute("aria-label", say(language, "log"));
    this.choices.setAttribute("aria-label", say(language, "choices"));
    this.launcher.setAttribute("aria-expanded", String(this.isOpen));
    this.messages.relabel(language);
    this.tray.relabel(language);
    this.situation.relabel(language);
    this.news.relabel(language);
    this.attacher.setAttribute("aria-label", say(language, "attach"));
    this.attacher.title = say(language, "attach");
    this.setUnread(this.unread || 0);
    this.setState(this.state || "closed");
  }
}

function make(tag, properties) {
  return Object.assign(document.createElement(tag), properties);
}
