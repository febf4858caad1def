/**
 * Files on their way to the desk, ahead of the message that names them: the resumable-upload protocol tus 1.0.0, one
 * piece per request. After a lost line, a reload or a restart of the desk the desk says how far it got.
 */
import { newId } from "./ids.js";
import { say } from "./strings.js";

const PIECE_BYTES = 1024 * 1024;
const SILENT_MS = 30_000;
const FIRST_PAUSE_MS = 500;
const LAST_PAUSE_MS = 15_000;
const AGAIN = new Set([0, 401, 409, 423, 502, 503, 504, 507]);

class Refused extends Error {
  constructor(answer) {
    super(answer.message);
    this.status = answer.status;
  }
}

/** `owner` has session, language, limits {maxFileBytes, maxFiles}, newSession() and hears onFiles(). */
export class Uploads {
  constructor(server, shelf, owner) {
    this.server = server;
    this.shelf = shelf;
    this.owner = owner;
    this.items = [];
    this.stopped = false;
    this.listeners = new AbortController();
    addEventListener("online", () => this.hurry(), { signal: this.listeners.signal });
  }

  /** What an earlier page left goes on. */
  async restore() {
    for (const record of await this.shelf.all()) {
      if (this.stopped || this.items.some((item) => item.key === record.key)) continue;
      this.begin({ ...record, received: 0, state: "waiting", problem: "" });
    }
    this.owner.onFiles();
  }

  add(files) {
    for (const file of files) {
      const item = { key: newId(), at: Date.now(), name: file.name || "file", size: file.size, file, location: null };
      const problem = this.problemOf(file);
      if (!problem) this.shelf.keep(item);
      this.begin({ ...item, session: null, received: 0, state: problem ? "failed" : "waiting", problem });
    }
    this.owner.onFiles();
  }

  /** What can be told without asking the desk. */
  problemOf(file) {
    const { maxFileBytes, maxFiles } = this.owner.limits;
    const language = this.owner.language;
    if (file.size === 0) return say(language, "fileEmpty");
    if (file.size > maxFileBytes) return say(language, "fileTooLarge", { megabytes: Math.floor(maxFileBytes / 2 ** 20) });
    if (this.items.length >= maxFiles) return say(language, "fileTooMany", { files: maxFiles });
    return "";
  }

  begin(item) {
    this.items.push(item);
    if (item.state === "waiting") this.carry(item);
  }

  /** Takes a file away again, here and at the desk. */
  remove(item) {
    this.leave(item);
    if (item.location) this.ask(item, "DELETE", item.location).catch(() => {});
    this.owner.onFiles();
  }

  get unfinished() {
    return this.items.some((item) => item.state !== "ready");
  }

  /** The finished files leave with a message: [{id, name, size}]. */
  take() {
    const ready = this.items.filter((item) => item.state === "ready");
    for (const item of ready) this.leave(item);
    return ready.map((item) => ({ id: item.location.split("/").pop(), name: item.name, size: item.size }));
  }

  stop() {
    this.stopped = true;
    this.listeners.abort();
    for (const item of this.items) item.request?.abort();
    this.hurry();
  }

  hurry() {
    for (const item of this.items) item.wake?.();
  }

  leave(item) {
    this.items = this.items.filter((one) => one !== item);
    item.gone = true;
    item.request?.abort();
    item.wake?.();
    this.shelf.drop(item.key);
  }

  async carry(item) {
    for (let attempts = 0; !item.gone && !this.stopped && item.state !== "ready"; attempts += 1) {
      try {
        item.state = "sending";
        await this.send(item, () => (attempts = 0));
        item.state = "ready";
        this.shelf.keep(record(item));
      } catch (fault) {
        if (!this.mayGoOn(item, fault)) break;
        await this.pause(item, attempts);
      }
      this.owner.onFiles();
    }
    this.owner.onFiles();
  }

  /** From where the desk says that it is; a file that the desk does not know (any more) begins anew. */
  async send(item, onProgress) {
    const session = this.owner.session ?? (await this.owner.newSession());
    if (item.session !== session.session) item.location = null;
    if (item.location) item.received = Number((await this.ask(item, "HEAD", item.location)).header("Upload-Offset"));
    else await this.create(item, session);
    while (item.received < item.size && !item.gone) {
      const piece = item.file.slice(item.received, item.received + PIECE_BYTES);
      const headers = { "Upload-Offset": String(item.received), "Content-Type": "application/offset+octet-stream" };
      const answer = await this.ask(item, "PATCH", item.location, headers, piece);
      item.received = Number(answer.header("Upload-Offset"));
      onProgress();
      this.owner.onFiles();
    }
  }

  async create(item, session) {
    if (!item.file) throw new Refused({ status: 410, message: "" });
    const headers = { "Upload-Length": String(item.size), "Upload-Metadata": `filename ${base64(item.name)}` };
    const answer = await this.ask(item, "POST", "/chat/files", headers);
    Object.assign(item, { location: answer.header("Location"), session: session.session, received: 0 });
    this.shelf.keep(record(item));
  }

  mayGoOn(item, fault) {
    if (item.gone || this.stopped) return false;
    const status = fault instanceof Refused ? fault.status : 0;
    if (status === 404 && item.location) {
      item.location = null;
      return true;
    }
    if (AGAIN.has(status)) {
      Object.assign(item, { state: "waiting", problem: status === 507 ? fault.message : "" });
      return true;
    }
    Object.assign(item, { state: "failed", problem: fault.message || say(this.owner.language, "fileFailed") });
    this.shelf.drop(item.key);
    return false;
  }

  pause(item, attempts) {
    const longest = Math.min(LAST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempts);
    return new Promise((resolve) => {
      item.wake = resolve;
      setTimeout(resolve, longest * (0.5 + Math.random() / 2));
    });
  }

  /** One request. Rejects with Refused: status 0 when no answer came. */
  ask(item, method, path, headers = {}, body = null) {
    const { session, secret } = this.owner.session ?? {};
    const request = (item.request = new XMLHttpRequest());
    request.open(method, new URL(path, this.server));
    const always = { "Tus-Resumable": "1.0.0", Authorization: `Bearer ${session}.${secret}` };
    for (const [name, value] of Object.entries({ ...always, ...headers })) request.setRequestHeader(name, value);
    request.setRequestHeader("Accept-Language", this.owner.language);
    return new Promise((resolve, reject) => {
      let silence = 0;
      const alive = () => {
        clearTimeout(silence);
        silence = setTimeout(() => request.abort(), SILENT_MS);
      };
      request.upload.onprogress = (event) => {
        alive();
        this.owner.onFiles(item, event.loaded);
      };
      request.onloadend = () => {
        clearTimeout(silence);
        const answer = { status: request.status, message: messageOf(request), header: (name) => request.getResponseHeader(name) };
        if (request.status >= 200 && request.status < 300) resolve(answer);
        else reject(new Refused(answer));
      };
      alive();
      request.send(body);
    });
  }
}

/** What is worth keeping; the bytes of a finished file are not. */
function record({ key, at, name, size, file, location, session, state }) {
  return { key, at, name, size, location, session, file: state === "ready" ? null : file };
}

function messageOf(request) {
  try {
    return JSON.parse(request.responseText).message ?? "";
  } catch {
    return "";
  }
}

function base64(text) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
