/**
 * Carries one file of the tray to the desk: from where the desk says that it is, piece by piece, until it is all there or
 * cannot be.
 */
import { Refused, ask } from "./tus.js";

const PIECE_BYTES = 1024 * 1024;
const FIRST_PAUSE_MS = 500;
const LAST_PAUSE_MS = 15_000;
const AGAIN = new Set([0, 401, 409, 423, 502, 503, 504, 507]);
const NEVER = 410;
const PROBLEMS = { no_room: "fileNoRoom", too_many_files: "fileQueueFull", too_much_today: "fileTooMuch" };

/** `tray` has server, path, owner {session, newSession()}, goesOn(item), keep(item), fail(item, key) and hears changed(). */
export class Sender {
  constructor(tray) {
    this.tray = tray;
  }

  async carry(item) {
    for (let attempts = 0; this.tray.goesOn(item) && item.state === "waiting"; attempts += 1) {
      try {
        item.state = "sending";
        await this.send(item, () => (attempts = 0));
        Object.assign(item, { state: "ready", problem: null });
        this.tray.keep(item);
      } catch (fault) {
        await this.suffer(item, fault instanceof Refused ? fault : new Refused(0));
        this.tray.changed();
        if (item.state === "waiting") await this.pause(item, attempts);
      }
      this.tray.changed();
    }
  }

  /** From where the desk says that it is; a file that the desk does not know (any more) begins anew. */
  async send(item, onProgress) {
    const session = this.tray.owner.session ?? (await this.tray.owner.newSession());
    item.session ??= session.session;
    if (item.session !== session.session) throw new Refused(NEVER);
    const desk = { server: this.tray.server, session };
    if (item.location) item.received = offset(await this.ask(desk, item, "HEAD", item.location));
    else await this.create(desk, item);
    while (item.received < item.size) {
      await this.sendPiece(desk, item);
      onProgress();
      this.tray.changed();
    }
  }

  async sendPiece(desk, item) {
    const headers = { "Upload-Offset": String(item.received), "Content-Type": "application/offset+octet-stream" };
    const body = bytesOf(item).slice(item.received, item.received + PIECE_BYTES);
    const onSent = (bytes) => {
      item.sent = bytes;
      this.tray.changed();
    };
    const answer = await this.ask(desk, item, "PATCH", item.location, { headers, body, onSent });
    Object.assign(item, { received: offset(answer), sent: 0, problem: null });
  }

  async create(desk, item) {
    bytesOf(item);
    const headers = { "Upload-Length": String(item.size), "Upload-Metadata": `filename ${base64(item.name)}` };
    const answer = await this.ask(desk, item, "POST", this.tray.path, { headers });
    Object.assign(item, { location: answer("Location"), received: 0 });
    this.tray.keep(item);
  }

  ask(desk, item, method, path, options = {}) {
    return ask(desk, method, path, { ...options, signal: item.ending.signal });
  }

  /** What a fault makes of the item: it waits for another attempt, or has failed. */
  async suffer(item, { status, code }) {
    item.sent = 0;
    if (status === 404 && item.location) {
      Object.assign(item, { state: "waiting", location: null });
    } else if (status === 0 && !(await isReadable(item.file))) {
      this.tray.fail(item, "fileUnreadable");
    } else if (AGAIN.has(status)) {
      Object.assign(item, { state: "waiting", problem: status === 507 ? { key: PROBLEMS.no_room } : null });
    } else {
      this.tray.fail(item, PROBLEMS[code] ?? "fileFailed");
    }
  }

  pause(item, attempts) {
    const longest = Math.min(LAST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempts);
    return new Promise((resolve) => {
      item.wake = resolve;
      setTimeout(resolve, longest * (0.5 + Math.random() / 2));
    });
  }
}

function offset(answer) {
  return Number(answer("Upload-Offset"));
}

/** A page that was loaded since has only the name of a file that was complete. */
function bytesOf(item) {
  if (!item.file) throw new Refused(NEVER);
  return item.file;
}

/** A file that was changed, moved or deleted after it was chosen breaks every request that carries it, like a dead line. */
async function isReadable(file) {
  try {
    await file?.slice(0, 1).arrayBuffer();
    return true;
  } catch (fault) {
    return fault.name !== "NotReadableError" && fault.name !== "NotFoundError";
  }
}

function base64(text) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
