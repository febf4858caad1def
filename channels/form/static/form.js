/**
 * Sends the files of the form while it is still being filled in, with progress, and goes on after a broken line. Without
 * this script the browser sends them with the form.
 */
import { Sender } from "./sending.js";
import { ask } from "./tus.js";

const form = document.querySelector("form.sheet");
const chooser = form.querySelector("#f-files");
const list = form.querySelector("#tray");
const words = JSON.parse(form.dataset.words);
const [session, secret] = form.dataset.token.split(".");

function say(key, values = {}) {
  return words[key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

class Tray {
  constructor() {
    this.server = location.origin;
    this.path = "/form/files";
    this.owner = { session: { session, secret } };
    this.items = [];
    this.sender = new Sender(this);
    this.wanted = false;
    addEventListener("online", () => this.items.forEach((item) => item.wake?.()));
  }

  add(files) {
    for (const file of files) {
      const item = { file, name: file.name || "file", size: file.size, location: null, session: null };
      Object.assign(item, { received: 0, sent: 0, state: "waiting", problem: null, ending: new AbortController() });
      item.problem = this.problemOf(file);
      if (item.problem) item.state = "failed";
      this.items.push(item);
      this.show(item);
      if (item.state === "waiting") this.sender.carry(item);
    }
    this.changed();
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
    item.ending.abort();
    item.wake?.();
    item.row.remove();
    const desk = { server: this.server, session: this.owner.session };
    if (item.location) ask(desk, "DELETE", item.location).catch(() => {});
    this.changed();
    chooser.focus();
  }

  goesOn(item) {
    return !item.ending.signal.aborted;
  }

  keep() {}

  fail(item) {
    Object.assign(item, { state: "failed", problem: "file_failed" });
  }

  changed() {
    list.hidden = this.items.length === 0;
    for (const item of this.items) this.refresh(item);
    const busy = this.items.some((item) => item.state === "waiting" || item.state === "sending");
    form.querySelector("#waiting").textContent = this.wanted && busy ? say("files_wait") : "";
    if (this.wanted && !busy) form.requestSubmit();
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
    item.standing.className = item.state === "failed" ? "bad" : "quiet";
    const before = item.standing.textContent;
    item.standing.textContent = this.standing(item, there);
    if (before !== item.standing.textContent && ["ready", "failed"].includes(item.state)) {
      form.querySelector("#news").textContent = `${item.name}: ${item.standing.textContent}`;
    }
    if (item.state === "ready" && !item.field) {
      item.field = Object.assign(document.createElement("input"), { type: "hidden", name: "upload" });
      item.field.value = item.location.split("/").pop();
      item.row.append(item.field);
    }
  }

  standing(item, there) {
    if (item.state === "failed") return say(item.problem);
    if (item.state === "ready") return say("file_ready");
    if (item.state === "sending") return say("file_going", { percent: Math.floor((100 * there) / item.size) });
    return say(item.location ? "file_again" : "file_waiting");
  }
}

const tray = new Tray();

chooser.addEventListener("change", () => {
  tray.add([...chooser.files]);
  chooser.value = "";
});

form.addEventListener("submit", (event) => {
  const busy = tray.items.some((item) => item.state === "waiting" || item.state === "sending");
  tray.wanted = busy;
  if (!busy) return;
  event.preventDefault();
  tray.changed();
});
