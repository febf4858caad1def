// Small things a page cannot do without a script: drafts, keys, local times, and staying put while it changes.
(() => {
  "use strict";
  const language = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang;
  const byId = (id) => document.getElementById(id);

  // Times: the server writes UTC, the agent reads their own zone.
  const clock = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60]];

  function spanOf(seconds) {
    const [unit, length] = UNITS.find(([, each]) => seconds >= each) ?? ["minute", 60];
    const amount = Math.max(1, Math.floor(seconds / length));
    return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short" }).format(amount);
  }

  function showTimes() {
    for (const time of document.querySelectorAll("time[data-local]")) {
      time.title = time.dateTime;
      time.textContent = clock.format(new Date(time.dateTime));
    }
    for (const time of document.querySelectorAll("time[data-since]")) {
      time.title = clock.format(new Date(time.dateTime));
      time.textContent = spanOf((Date.now() - new Date(time.dateTime).getTime()) / 1000);
    }
  }

  // Drafts: typed words survive a reload, a log-out and a crash of the tab.
  const draftKey = (field) => `draft:${field.dataset.draft}`;

  function restoreDrafts() {
    for (const field of document.querySelectorAll("[data-draft]")) {
      field.value ||= sessionStorage.getItem(draftKey(field)) ?? "";
      if (field.value) field.closest("details")?.setAttribute("open", "");
    }
  }

  document.addEventListener("input", (event) => {
    if (event.target.dataset.draft) sessionStorage.setItem(draftKey(event.target), event.target.value);
  });

  document.addEventListener("desk:done", (event) => {
    const field = event.target.querySelector?.("[data-draft]");
    if (!field) return;
    field.value = "";
    sessionStorage.removeItem(draftKey(field));
    field.focus();
  });

  for (const done of document.querySelectorAll("[data-forget]")) sessionStorage.removeItem(`draft:${done.dataset.forget}`);

  // A time of receipt: the server offers UTC, the agent thinks in their own zone.
  const received = byId("f-at");
  if (received) {
    const zone = byId("f-zone"), hint = byId("h-at");
    const offset = (moment) => -moment.getTimezoneOffset();
    const offered = new Date(`${received.defaultValue}Z`);
    if (zone.value === "" && received.value === received.defaultValue && !Number.isNaN(offered.getTime())) {
      received.value = new Date(offered.getTime() + offset(offered) * 60000).toISOString().slice(0, 16);
    }
    const follow = () => {
      const moment = new Date(received.value);
      zone.value = Number.isNaN(moment.getTime()) ? "" : String(offset(moment));
    };
    follow();
    received.addEventListener("input", follow);
    hint.textContent = hint.dataset.local;
  }

  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }

  // What may be used depends on who has the conversation, which changes while the page is open.
  function followStanding() {
    const standing = document.querySelector(".standing");
    if (!standing) return;
    for (const part of document.querySelectorAll('[data-needs="mine"]')) part.disabled = standing.dataset.mine !== "yes";
    for (const part of document.querySelectorAll('[data-needs="owner"]')) part.hidden = standing.dataset.mine !== "yes";
    for (const part of document.querySelectorAll('[data-needs="no-case"]')) part.hidden = standing.dataset.case === "open";
  }

  // A changing page keeps the reader's place, opened details, and says that something came in.
  let kept = null;

  function remember() {
    if (kept) return;
    const log = byId("transcript");
    kept = {
      lines: Number(byId("tally")?.dataset.lines ?? 0),
      atEnd: !log || log.scrollHeight - log.scrollTop - log.clientHeight < 60,
      open: [...document.querySelectorAll("#facts details[open], #transcript details[open]")].map((each) => each.id),
    };
  }

  function settle() {
    showTimes();
    followStanding();
    showWaiting();
    tellSeen();
    if (!kept) return;
    for (const id of kept.open) if (id) byId(id)?.setAttribute("open", "");
    const tally = byId("tally");
    if (tally && Number(tally.dataset.lines) > kept.lines) {
      byId("announce").textContent = "";
      showTyping(0);
      requestAnimationFrame(() => { byId("announce").textContent = tally.dataset.said; });
    }
    if (kept.atEnd) toEnd();
    kept = null;
  }

  function toEnd() {
    const log = byId("transcript");
    if (log) log.scrollTop = log.scrollHeight;
  }

  const title = document.title;
  function showWaiting() {
    const waiting = document.querySelector("[data-waiting]")?.dataset.waiting;
    if (waiting !== undefined) document.title = waiting === "0" ? title : `(${waiting}) ${title}`;
  }

  // An answer that was asked for before a deed was done may show the desk as it was: it is asked for again. So is one
  // that comes while a button is held down: replaced under the pointer, it would swallow the click.
  let deeds = 0;
  let pressed = false;
  const deedsBefore = new WeakMap();
  const putOff = new Set();
  const askAgain = (elt) => window.htmx.trigger(elt, "sse:changed");
  document.addEventListener("htmx:beforeSend", (event) => deedsBefore.set(event.detail.xhr, deeds));
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { elt, xhr, requestConfig } = event.detail;
    if (requestConfig.verb !== "get") deeds += 1;
    else if (pressed || deedsBefore.get(xhr) < deeds) {
      event.detail.shouldSwap = false;
      if (pressed) putOff.add(elt);
      else askAgain(elt);
    }
  });

  function release() {
    pressed = false;
    for (const elt of putOff) askAgain(elt);
    putOff.clear();
  }

  document.addEventListener("pointerdown", () => { pressed = true; }, true);
  // The click comes after the pointer is up: what was put off must not overtake it.
  for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => setTimeout(release), true);
  window.addEventListener("blur", release);

  document.addEventListener("htmx:oobBeforeSwap", remember);
  document.addEventListener("htmx:afterSettle", settle);
  document.addEventListener("htmx:afterRequest", settle);
  document.addEventListener("htmx:sseError", () => { byId("offline").hidden = false; });
  document.addEventListener("htmx:sseOpen", () => { byId("offline").hidden = true; });

  // Signs to the other side: what is on this screen was seen, and somebody is typing an answer.
  const signs = document.querySelector("[data-seen]")?.dataset;
  const TYPING_EVERY = 3000;
  const TYPING_LASTS = 6000;
  let seen = 0;
  let typed = 0;
  let typing = null;

  function sign(address, fields) {
    const headers = { "X-CSRF-Token": signs.csrf };
    const asked = fetch(address, { method: "POST", headers, body: new URLSearchParams(fields), keepalive: true });
    return asked.then((answer) => answer.ok, () => false);
  }

  async function tellSeen() {
    const seq = Number(byId("tally")?.dataset.seq ?? 0);
    if (!signs || document.visibilityState !== "visible" || seq <= seen) return;
    seen = seq;
    if (!(await sign(signs.seen, { seq })) && seen === seq) seen = 0;
  }

  function tellTyping(field) {
    if (!signs || field.id !== "reply-text" || Date.now() - typed < TYPING_EVERY) return;
    typed = Date.now();
    sign(signs.typing, {});
  }

  function showTyping(lasts) {
    const line = byId("typing");
    if (!line) return;
    clearTimeout(typing);
    const text = lasts ? line.dataset.said : "";
    if (line.textContent !== text) line.textContent = text;
    if (lasts) typing = setTimeout(() => showTyping(0), lasts);
  }

  document.addEventListener("input", (event) => tellTyping(event.target));
  document.addEventListener("visibilitychange", tellSeen);
  document.addEventListener("htmx:sseMessage", (event) => {
    if (event.target.id === "hears-typing") showTyping(TYPING_LASTS);
  });

  // Keys. One key alone acts only outside of fields, and can be switched off (WCAG 2.1.4).
  const keysOn = () => localStorage.getItem("keys") !== "off";

  function move(step) {
    const entries = [...document.querySelectorAll(".entry")];
    if (!entries.length) return;
    const at = entries.indexOf(document.activeElement);
    entries[at < 0 ? (step > 0 ? 0 : entries.length - 1) : Math.min(Math.max(at + step, 0), entries.length - 1)].focus();
  }

  function write(id) {
    const field = byId(id);
    if (!field || field.matches(":disabled")) return;
    field.closest("details")?.setAttribute("open", "");
    field.focus();
  }

  const KEYS = {
    j: () => move(1),
    k: () => move(-1),
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    t: () => byId("take")?.click(),
    r: () => write("reply-text"),
    n: () => write("note-text"),
    c: () => write("teach-label"),
    u: () => byId("transcript") && location.assign("/console/"),
    "?": () => byId("help")?.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.target.closest?.("[data-draft]")?.form.requestSubmit();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || !keysOn() || !Object.hasOwn(KEYS, event.key)) return;
    if (event.target.closest?.("input, textarea, select, dialog")) return;
    if (event.key.startsWith("Arrow") && !document.querySelector(".entry")) return;
    event.preventDefault();
    KEYS[event.key]();
  });

  document.addEventListener("click", (event) => {
    const opener = event.target.closest?.("[data-open]");
    if (opener) byId(opener.dataset.open).showModal();
  });

  const toggle = byId("keys-on");
  if (toggle) {
    toggle.checked = keysOn();
    toggle.addEventListener("change", () => localStorage.setItem("keys", toggle.checked ? "on" : "off"));
  }

  restoreDrafts();
  settle();
  toEnd();
  setInterval(showTimes, 30000);
})();
