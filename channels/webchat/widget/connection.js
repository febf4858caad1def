/** The WebSocket: opens, greets, resumes, and comes back by itself. Says nothing about what it carries. */

const VERSION = 1;
const PING_MS = 25_000;
const ANSWER_MS = 15_000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;

/**
 * `owner` gives what a greeting needs (session get/set, floor, language, token) and hears onSession(id) before each
 * greeting, onState("connecting" | "online" | "offline") and onFrame(frame).
 */
export class Connection {
  constructor(server, owner) {
    this.server = server;
    this.owner = owner;
    this.socket = null;
    this.attempts = 0;
    this.stopped = true;
    this.listeners = new AbortController();
  }

  start() {
    if (!this.stopped) return;
    this.stopped = false;
    const options = { signal: this.listeners.signal };
    addEventListener("online", () => this.hurry(), options);
    addEventListener("offline", () => this.lose(), options);
    document.addEventListener("visibilitychange", () => this.wake(), options);
    this.connect();
  }

  stop() {
    this.stopped = true;
    this.listeners.abort();
    clearTimeout(this.retry);
    this.drop();
  }

  get online() {
    return this.greeted && this.socket?.readyState === WebSocket.OPEN;
  }

  /** True when the frame left; false means that nothing was sent. */
  send(frame) {
    if (!this.online) return false;
    this.socket.send(JSON.stringify(frame));
    this.expectAnswer();
    return true;
  }

  /** For frames that nobody answers to. */
  tell(frame) {
    if (this.online) this.socket.send(JSON.stringify(frame));
    return this.online;
  }

  async connect() {
    clearTimeout(this.retry);
    this.drop();
    this.owner.onState("connecting");
    const attempt = (this.attempt = Symbol());
    try {
      const session = this.owner.session ?? (await this.newSession());
      if (this.attempt === attempt && !this.stopped) this.open(session);
    } catch {
      if (this.attempt === attempt) this.comeBack();
    }
  }

  async newSession() {
    const answer = await fetch(new URL("/chat/session", this.server), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: "{}",
      credentials: "omit",
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    if (!answer.ok) throw new Error(`session: ${answer.status}`);
    const { session, secret } = await answer.json();
    // Another tab may have made one meanwhile: then both talk in that one.
    return (this.owner.session ??= { session, secret });
  }

  open(session) {
    this.owner.onSession(session.session);
    const address = new URL("/chat/ws", this.server);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = (this.socket = new WebSocket(address));
    socket.onopen = () => socket.send(JSON.stringify(this.hello(session)));
    socket.onmessage = (event) => this.hear(socket, JSON.parse(event.data));
    socket.onclose = () => socket === this.socket && this.comeBack();
    this.expectAnswer();
  }

  hello(session) {
    const { floor, language, token } = this.owner;
    return { type: "hello", version: VERSION, ...session, after: floor, language, token: token || null, live: true, news: true };
  }

  hear(socket, frame) {
    if (socket !== this.socket) return;
    clearTimeout(this.patience);
    if (frame.type === "welcome") {
      this.greeted = true;
      this.attempts = 0;
      this.pinging = setInterval(() => this.send({ type: "ping" }), PING_MS);
    }
    if (frame.type === "error" && frame.code === "bad_session") this.owner.session = null;
    this.owner.onFrame(frame);
    if (frame.type === "welcome") this.owner.onState("online");
  }

  /** Every frame of ours is answered. Nothing heard within the time: the line is dead, even if the browser has not noticed. */
  expectAnswer() {
    clearTimeout(this.patience);
    this.patience = setTimeout(() => this.lose(), ANSWER_MS);
  }

  lose() {
    if (!this.stopped) this.comeBack();
  }

  comeBack() {
    this.drop();
    if (this.stopped) return;
    this.owner.onState("offline");
    const longest = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.attempts);
    this.attempts += 1;
    // Half fixed, half by chance: many clients must not return at the same moment.
    this.retry = setTimeout(() => this.connect(), longest * (0.5 + Math.random() / 2));
  }

  hurry() {
    if (this.stopped || this.online) return;
    this.attempts = 0;
    this.connect();
  }

  /** Back from the background: timers may have slept, so ask whether the line still lives. */
  wake() {
    if (document.visibilityState !== "visible") return;
    if (this.online) this.send({ type: "ping" });
    else this.hurry();
  }

  drop() {
    this.attempt = null;
    clearTimeout(this.patience);
    clearInterval(this.pinging);
    const socket = this.socket;
    this.socket = null;
    this.greeted = false;
    socket?.close();
  }
}
