/**
 * <redress-chat server="https://desk.example" lang="zh" token="JWT"></redress-chat>
 *
 * server: the desk; default: where this file came from. lang: "en", "zh" or "zh-Hant" (or zh-TW, zh-HK). token: the app's signed token; setting
 * it again renews it, removing it signs the user out. page: fills its place instead of floating behind a button.
 * Event "redress-token-expired": the page should set a new token. Method forget(): erases the chat from this browser.
 */

import { Connection } from "./connection.js";
import { save, Withheld } from "./downloads.js";
import { newId } from "./ids.js";
import { follow, forgetInvitation, invitation, look, Refused } from "./joining.js";
import { Log } from "./log.js";
import { Outbox } from "./outbox.js";
import { Shelf } from "./shelf.js";
import { Store } from "./store.js";
import { ourLanguage, say } from "./strings.js";
import { Uploads } from "./uploads.js";
import { View } from "./view.js";

const TYPING_EVERY_MS = 3_000;

class RedressChat extends HTMLElement {
  static observedAttributes = ["lang", "token"];

  connectedCallback() {
    if (!this.view) {
      this.server = new URL(this.getAttribute("server") || import.meta.url, location.href).origin;
      this.log = new Log();
      this.limits = { maxFileBytes: 20 * 2 ** 20, maxFiles: 10 };
      const moved = this.useDrawer();
      this.language = this.chosenLanguage();
      const asPage = this.hasAttribute("page");
      this.view = new View(this.attachShadow({ mode: "open" }), this, { asPage, language: this.language });
      this.begin({ after: moved.files });
      if (asPage) {
        addEventListener("hashchange", () => this.offerToJoin());
        this.offerToJoin();
      }
      return;
    }
    this.begin();
  }

  disconnectedCallback() {
    this.end();
  }

  attributeChangedCallback(name, before, after) {
    if (!this.view || before === after) return;
    if (name === "lang" && ourLanguage(after)) this.speak(ourLanguage(after));
    if (name === "token") this.changeToken();
  }

  /** Resolves when nothing of it is left in this browser. */
  async forget() {
    const { session } = this;
    this.end();
    this.store.forget();
    const forgotten = this.uploads.forget(session);
    this.shownDrawer = null;
    this.begin({ after: forgotten });
    await forgotten;
  }

  get session() {
    return this.store.session;
  }

  set session(session) {
    this.store.session = session;
    if (session === null) this.store.lastRead = 0;
  }

  get floor() {
    return this.log.floor;
  }

  get token() {
    return this.getAttribute("token");
  }

  onSession(id) {
    if (this.shownSession && id !== this.shownSession) {
      this.outbox.forgetStored();
      this.startOver();
    }
    this.shownSession = id;
    this.uploads.keepTo(id);
  }

  onState(state) {
    this.view.setState(state);
    if (state === "online") this.outbox.restart();
  }

  onFrame(frame) {
    if (frame.type === "welcome") this.welcome(frame);
    if (frame.type === "entry") this.takeEntries([frame]);
    if (frame.type === "stored") this.stored(frame);
    if (frame.type === "state") this.takeState(frame);
    if (frame.type === "news") this.view.news.take(frame, this.store.lastNews);
    if (frame.type === "typing") this.view.situation.agentTypes(frame.name);
    if (frame.type === "error") this.refused(frame);
  }

  onOpen() {
    this.connection.start();
    this.markRead();
  }

  onClose() {
    this.showUnread();
  }

  onText(text) {
    const id = newId();
    this.write({ id, type: "message", text, files: this.uploads.take(id) });
    this.onFiles();
  }

  /** The user is typing: worth saying when a person may be looking. */
  onTyping() {
    if (this.view.situation.state.with === "bot" || Date.now() - (this.typedAt ?? 0) < TYPING_EVERY_MS) return;
    this.typedAt = Date.now();
    this.connection.tell({ type: "typing" });
  }

  onAttach(files) {
    this.uploads.add(files);
    this.connection.start();
  }

  onDetach(item) {
    this.uploads.remove(item);
  }

  onFiles() {
    this.view.showFiles(this.uploads.items);
  }

  isUnsent(id) {
    return this.store.isUnsent(id);
  }

  async onFile(file) {
    try {
      await save(this.server, this.session, file, this.language);
    } catch (fault) {
      const withheld = fault instanceof Withheld;
      this.view.showProblem(withheld ? fault.message : say(this.language, "fileNotThere", { name: file.name }));
    }
  }

  newSession() {
    return this.connection.newSession();
  }

  onPress(button, title) {
    this.write({ type: "press", button, text: title });
  }

  /** Who closed the list has seen what was in it. */
  onNewsClosed(newest) {
    this.store.lastNews = Math.max(this.store.lastNews, newest);
  }

  onLanguage() {
    const other = this.language === "en" ? this.chinese() : "en";
    this.store.language = other;
    this.speak(other);
  }

  /** A link brought the user here from another conversation: asks whether it is theirs. */
  async offerToJoin() {
    const token = invitation();
    if (!token) return;
    try {
      const { question } = await look(this.server, await this.someSession(), token, this.language);
      this.view.ask(question, (yes) => this.join(token, yes));
    } catch (problem) {
      this.notJoined(problem);
    }
  }

  async join(token, yes) {
    if (!yes) return forgetInvitation();
    try {
      await follow(this.server, await this.someSession(), token, this.language);
      forgetInvitation();
      this.connection.start();
    } catch (problem) {
      this.notJoined(problem);
    }
  }

  async someSession() {
    return this.session ?? (await this.newSession());
  }

  notJoined(problem) {
    if (problem.over) forgetInvitation();
    this.view.showProblem(problem instanceof Refused ? problem.message : say(this.language, "joinFailed"));
  }

  /** `after`: when the files of the drawer are where they belong. `sameChat`: it goes on under another name. */
  begin({ after, sameChat = false } = {}) {
    if (this.shownDrawer !== this.store.drawer && !sameChat) this.view.reset();
    this.shownDrawer = this.store.drawer;
    this.log.clear();
    this.shownSession = null;
    this.connection = new Connection(this.server, this);
    this.outbox = new Outbox(this.store, this.connection);
    for (const message of this.outbox.restore()) this.log.add(message);
    if (!sameChat) this.beginUploads(after);
    this.show({ quietly: true });
    this.view.setState("closed");
    this.listeners = new AbortController();
    document.addEventListener("visibilitychange", () => this.markRead(), { signal: this.listeners.signal });
    if (this.view.isOpen || !this.store.isEmpty) this.connection.start();
  }

  beginUploads(after) {
    this.uploads = new Uploads(this.server, this.shelf, this);
    this.uploads.restore(after);
    this.onFiles();
  }

  end({ sameChat = false } = {}) {
    this.connection.stop();
    this.outbox.stop();
    if (!sameChat) this.uploads.stop();
    this.listeners.abort();
  }

  welcome(frame) {
    this.view.maxCharacters = frame.max_characters;
    this.view.messages.origins = frame.link_origins;
    this.limits = { maxFileBytes: frame.max_file_bytes, maxFiles: frame.max_files };
    this.toldRead = 0;
    if (frame.reset) this.startOver();
    this.takeEntries(frame.entries, { quietly: this.log.floor === 0 });
  }

  /** The desk does not know what we have: its word counts. What is unsent stays. */
  startOver() {
    this.log.clear();
    this.store.lastRead = 0;
    for (const message of this.outbox.restore()) this.log.add(message);
  }

  takeEntries(entries, options) {
    for (const entry of entries) {
      this.log.take(entry);
      if (entry.client_id) this.seen(entry.client_id);
      if (entry.author === "agent") this.view.situation.stopTyping();
    }
    this.show(options);
    this.markRead();
  }

  seen(id) {
    this.outbox.seen(id);
    this.uploads.stored(id);
  }

  /** What was read on another device is not new here. */
  takeState(state) {
    this.view.situation.take(state);
    this.view.messages.setSeen(state.seen);
    this.store.lastRead = Math.max(this.store.lastRead, state.read);
    this.showUnread();
  }

  stored({ id, seq }) {
    this.view.showProblem("");
    this.log.stored(id, seq);
    this.outbox.stored(id);
    this.uploads.stored(id);
    this.show();
  }

  refused(frame) {
    if (frame.code === "expired_token") {
      this.dispatchEvent(new CustomEvent("redress-token-expired", { bubbles: true, composed: true }));
    }
    const lost = this.outbox.refused(frame);
    if (lost) this.log.remove(lost.id);
    if (lost?.type === "message") this.giveBack(lost, frame);
    else this.view.showProblem(frame.code === "bad_session" ? say(this.language, "restarted") : frame.message);
    this.show();
  }

  giveBack(message, { code, message: problem }) {
    this.view.giveBack(message.text, problem);
    this.uploads.giveBack(message, code);
  }

  write(message) {
    this.log.add(this.outbox.add(message));
    this.show();
    this.view.messages.toEnd();
    this.connection.start();
    this.outbox.pump();
  }

  show(options) {
    this.view.messages.show(this.log.items, options);
    this.view.showChoices(this.log.choices());
    this.showUnread();
  }

  markRead() {
    if (!this.view.isOpen) return;
    const highest = this.log.highest;
    this.store.lastRead = Math.max(this.store.lastRead, highest);
    this.showUnread();
    if (document.visibilityState !== "visible" || highest <= this.toldRead) return;
    if (this.connection.tell({ type: "seen", seq: highest })) this.toldRead = highest;
  }

  showUnread() {
    this.view.setUnread(this.view.isOpen ? 0 : this.log.unreadAfter(this.store.lastRead));
  }

  chosenLanguage() {
    const asked = ourLanguage(this.getAttribute("lang"));
    const chosen = this.hasAttribute("page") ? asked : (ourLanguage(this.store.language) ?? asked);
    return chosen ?? ourLanguage(document.documentElement.lang) ?? ourLanguage(navigator.language) ?? "en";
  }

  /** The script that the reader's browser prefers. */
  chinese() {
    return navigator.languages.map(ourLanguage).find((language) => language && language !== "en") ?? "zh";
  }

  speak(language) {
    this.language = language;
    this.view.relabel(language);
    this.connection.send({ type: "language", language });
  }

  /** The same user's new token goes to the running connection; another user gets another chat. */
  changeToken() {
    if (userOf(this.token) === this.user) {
      this.connection.send({ type: "token", token: this.token });
      return;
    }
    const wasGuest = this.user === null;
    const { adopted, files } = this.useDrawer();
    const sameChat = wasGuest && adopted;
    this.end({ sameChat });
    if (sameChat) this.uploads.shelf = this.shelf;
    this.begin({ after: files, sameChat });
  }

  /** {adopted, files}: whether a guest's chat goes on as the user's, and when its files have moved. */
  useDrawer() {
    const guest = new Store(this.server, null);
    this.user = userOf(this.token);
    this.store = this.user ? new Store(this.server, this.user) : guest;
    this.shelf = new Shelf(this.store.drawer);
    const adopted = this.user !== null && this.store.adopt(guest);
    return { adopted, files: adopted ? this.shelf.adopt(new Shelf(guest.drawer)) : null };
  }
}

/** The user that a token names, unverified: only the desk verifies. Here it chooses the drawer. */
function userOf(token) {
  try {
    const payload = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return String(JSON.parse(atob(payload)).sub || "") || null;
  } catch {
    return null;
  }
}

customElements.define("redress-chat", RedressChat);
