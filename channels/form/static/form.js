/**
 * Sends the files of the form while it is still being filled in, with progress, and goes on after a broken line and after
 * the page was left. Without this script the browser sends them with the form.
 */
import { Draft, fillIn, forgetFiled, markOf } from "./draft.js";
import { Sender } from "./sending.js";
import { ask } from "./tus.js";

const PATH = "/form/files";
const BUSY = new Set(["waiting", "sending"]);
const form = document.querySelector("form.sheet");
const chooser = form.querySelector("#f-files");
const list = form.querySelector("#tray");
const words = JSON.parse(form.dataset.words);

function say(key, values = {}) {
  return words[key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

class Tray {
  /** `token` proves whose files they are; `changes` hears that the list is another one. */
  constructor(token, changes) {
    const [session, secret] = token.split(".");
    this.server = location.origin;
    this.path = PATH;
    this.owner = { session: { session, secret } };
    this.changes = changes;
    this.items = [];
    this.sender = new Sender(this);
    this.looking = 0; // files that were chosen and are not on the list yet
    this.wanted = false;
    addEventListener("online", () => this.items.forEach((item) => item.wake?.()));
  }

  async add(files) {
    this.looking += files.length;
    for (const file of files) {
      const mark = await markOf(file);
      const begun = this.items.find((item) => isSame(item, file, mark));
      if (begun) this.goOn(begun, file);
      else this.begin(file, mark);
      this.looking -= 1;
      this.changed();
    }
  }

  goOn(item, file) {
    Object.assign(item, { file, state: "waiting", problem: null });
    this.sender.carry(item);
  }

  begin(file, mark) {
    const item = this.listed({ file, name: file.name || "file", size: file.size, mark, location: null });
    item.problem = this.problemOf(file);
    if (item.problem) item.state = "failed";
    this.items.push(item);
    this.show(item);
    if (item.state === "waiting") this.sender.carry(item);
  }

  /** Files of an earlier visit: what the desk has of them it says itself; the rest waits for the file. */
  resume(files) {
    for (const { name, size, mark, location } of files) {
      const item = this.listed({ file: undefined, name, size, mark, location });
      this.items.push(item);
      this.show(item);
      this.sender.carry(item);
    }
    this.changed();
  }

  listed(file) {
    const going = { received: 0, sent: 0, state: "waiting", problem: null, ending: new AbortController() };
    return { ...file, session: null, ...going };
  }

  problemOf(file) {
    const kept = form.querySelectorAll('input[type="checkbox"][name="upload"]:checked').length;
    const going = this.items.filter((item) => item.state !== "failed").length;
    if (file.size === 0) return "file_empty";
    if (file.size > Number(form.dataset.maxFileBytes)) return "file_too_large";
    return kept + going >= Number(form.dataset.maxFiles) ? "file_too_many" : null;
  }

  remove(item) {
    this.items = this.items.filter((one) => one !== item);
    this.abandon(item);
    item.row.remove();
    this.changed();
    this.changes();
    chooser.focus();
  }

  abandon(item) {
    item.ending.abort();
    item.wake?.();
    const desk = { server: this.server, session: this.owner.session };
    return item.location ? ask(desk, "DELETE", item.location).catch(() => {}) : Promise.resolve();
  }

  goesOn(item) {
    return !item.ending.signal.aborted;
  }

  keep() {
    this.changes();
  }

  fail(item) {
    if (item.file) Object.assign(item, { state: "failed", problem: "file_failed" });
    else if (item.location) item.state = "partly";
    else Object.assign(item, { state: "failed", problem: "file_gone" });
    this.changes();
  }

  changed() {
    list.hidden = this.items.length === 0;
    for (const item of this.items) this.refresh(item);
    const why = this.missing();
    form.querySelector("#waiting").textContent = this.wanted && why ? say(why) : "";
    if (this.wanted && !why) form.requestSubmit();
  }

  /** Why the complaint cannot be sent yet; "" when all its files are there. */
  missing() {
    if (this.looking > 0 || this.items.some((item) => BUSY.has(item.state))) return "files_wait";
    return this.items.some((item) => item.state === "partly") ? "files_partly" : "";
  }

  show(item) {
    const row = Object.assign(document.createElement("li"), { className: "file" });
    const name = Object.assign(document.createElement("span"), { className: "name", textContent: item.name });
    const remove = Object.assign(document.createElement("button"), { type: "button", textContent: "×" });
    remove.setAttribute("aria-label", say("file_remove", { name: item.name }));
    remove.addEventListener("click", () => this.remove(item));
    const bar = Object.assign(document.createElement("progress"), { max: item.size || 1, value: 0 });
    bar.setAttribute("aria-label", item.name);
    const standing = Object.assign(document.createElement("span"), { className: "quiet" });
    row.append(name, remove, bar, standing);
    list.append(row);
    Object.assign(item, { row, bar, standing });
  }

  refresh(item) {
    const there = item.received + item.sent;
    item.bar.value = there;
    item.bar.hidden = item.state === "failed" || item.state === "ready";
    item.standing.className = item.state === "failed" || item.state === "partly" ? "bad" : "quiet";
    const before = item.standing.textContent;
    item.standing.textContent = this.standing(item, there);
    if (before !== item.standing.textContent && ["ready", "failed", "partly"].includes(item.state)) {
      form.querySelector("#news").textContent = `${item.name}: ${item.standing.textContent}`;
    }
    if (item.state === "ready" && !item.field) {
      item.field = Object.assign(document.createElement("input"), { type: "hidden", name: "upload" });
      item.field.value = idOf(item.location);
      item.row.append(item.field);
    }
  }

  standing(item, there) {
    const percent = Math.floor((100 * there) / item.size);
    if (item.state === "failed") return say(item.problem);
    if (item.state === "partly") return say("file_partly", { percent });
    if (item.state === "ready") return say("file_ready");
    if (item.state === "sending") return say("file_going", { percent });
    return say(item.location ? "file_again" : "file_waiting");
  }
}

function isSame(item, file, mark) {
  const same = item.name === file.name && item.size === file.size && item.mark === mark;
  return item.state === "partly" && mark !== null && same;
}

function idOf(location) {
  return location.split("/").pop();
}

function boxes() {
  return [...form.querySelectorAll('input[type="checkbox"][name="upload"]')];
}

/** What the page itself lists, and what is in the tray. */
function filesNow(tray) {
  const listed = boxes().filter((box) => box.checked);
  const given = listed.map(({ value, dataset }) => ({
    ...{ name: dataset.name, size: Number(dataset.size), mark: null },
    location: `${PATH}/${value}`,
  }));
  const items = tray.items.filter((item) => item.location && item.state !== "failed");
  return [...given, ...items.map(({ name, size, mark, location }) => ({ name, size, mark, location }))];
}

/**
 * A page that the desk has just given back knows best what was typed. Any other one is a new form: it goes on under the
 * token of the draft, under which the files were sent.
 */
function begin() {
  const token = form.elements.form;
  const draft = new Draft(form.dataset.adds ? token.value.split(".")[0] : "new");
  if (form.dataset.adds) forgetFiled(token.value, draft); // the receipt may have been left before its script came
  const kept = draft.load();
  const givenBack = "given" in form.dataset;
  if (kept && !givenBack) token.value = kept.token;
  const tray = new Tray(token.value, () => draft.save(form, token.value, filesNow(tray)));
  if (kept && kept.token === token.value) {
    const shown = new Set(boxes().map((box) => box.value));
    const files = kept.files.filter((file) => !shown.has(idOf(file.location)));
    const some = !givenBack && fillIn(form, kept.typed);
    tray.resume(files);
    form.querySelector("#back").hidden = givenBack || !(some || files.length);
  }
  if (givenBack) draft.save(form, token.value, filesNow(tray));
  form.addEventListener("input", () => draft.save(form, token.value, filesNow(tray)));
  form.querySelector("#afresh").addEventListener("click", async () => {
    draft.forget();
    await Promise.all(tray.items.map((item) => tray.abandon(item)));
    location.replace(location.href.split("#")[0]);
  });
  return tray;
}

const tray = begin();

chooser.addEventListener("change", () => {
  tray.add([...chooser.files]);
  chooser.value = "";
});

form.addEventListener("submit", (event) => {
  tray.wanted = tray.missing() !== "";
  if (!tray.wanted) return;
  event.preventDefault();
  tray.changed();
});
