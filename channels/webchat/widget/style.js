/** A constructed style sheet: it works on pages whose policy forbids inline styles. Nothing in it moves. */

export const SHEET = new CSSStyleSheet();

SHEET.replaceSync(`
:host {
  --accent: #0b5c8a; --on-accent: #fff; --ground: #fff; --raised: #f1f4f7; --ink: #17212b; --soft: #4d5b68;
  --line: #c4ccd4; --own: #dcedf8; --warn: #8a2b06;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif;
  color: var(--ink);
}
@media (prefers-color-scheme: dark) {
  :host {
    --accent: #7cc4ee; --on-accent: #06202f; --ground: #151c23; --raised: #212b35; --ink: #e9eef2; --soft: #b3c0cb;
    --line: #445362; --own: #1f3e52; --warn: #ffb08a;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
p, h2 { margin: 0; }
button, textarea { font: inherit; color: inherit; }
button { cursor: pointer; min-height: 2.4em; border-radius: 8px; border: 1px solid var(--line); background: var(--ground); padding: 0 .8em; }
button:hover { border-color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.launcher {
  position: fixed; inset: auto 20px 20px auto; z-index: 2147483000; width: 56px; height: 56px; padding: 0; border: 0;
  border-radius: 50%; background: var(--accent); color: var(--on-accent); font-weight: 700; box-shadow: 0 3px 12px rgb(0 0 0 / .3);
}
.launcher:empty::before { content: ""; display: block; width: 22px; height: 16px; margin: auto; border: 3px solid currentColor; border-radius: 6px 6px 6px 0; }
.panel {
  position: fixed; inset: auto 20px 88px auto; z-index: 2147483000; width: min(390px, calc(100vw - 40px));
  height: min(640px, calc(100dvh - 108px)); display: flex; flex-direction: column; overflow: hidden;
  background: var(--ground); border: 1px solid var(--line); border-radius: 14px; box-shadow: 0 8px 32px rgb(0 0 0 / .25);
}
:host([page]) { display: block; height: 100%; }
:host([page]) .panel { position: static; width: 100%; height: 100%; border-radius: 0; box-shadow: none; }
header { display: flex; align-items: center; gap: 8px; padding: 8px 8px 8px 14px; background: var(--accent); color: var(--on-accent); }
h2 { flex: 1; font-size: 1.05em; }
.plain { background: transparent; color: inherit; border-color: transparent; }
header :focus-visible { outline-color: currentColor; outline-offset: -3px; }
.plain:hover { border-color: currentColor; }
.status { padding: 6px 14px; background: var(--raised); color: var(--ink); border-bottom: 1px solid var(--line); }
.question { padding: 10px 14px; background: var(--own); color: var(--ink); border-bottom: 1px solid var(--line); }
.question .choices { margin: 8px 0 0; padding: 0; max-height: none; }
.question .yes { background: var(--accent); color: var(--on-accent); font-weight: 600; }
.log { flex: 1; min-height: 0; overflow-y: auto; overscroll-behavior: contain; padding: 12px 14px; }
.log:focus-visible { outline-offset: -3px; }
.notice { color: var(--soft); font-size: .9em; padding-bottom: 8px; }
.item { margin-top: 10px; display: flex; flex-direction: column; align-items: flex-start; }
.day { align-self: center; color: var(--soft); font-size: .85em; padding: 6px 0; }
.who, .state { color: var(--soft); font-size: .82em; }
.text {
  max-width: 88%; padding: 8px 12px; border-radius: 12px; background: var(--raised); white-space: pre-wrap; overflow-wrap: anywhere;
}
.user { align-items: flex-end; }
.user .text { background: var(--own); }
.agent .text { border-inline-start: 4px solid var(--accent); }
a { color: inherit; }
footer { border-top: 1px solid var(--line); padding: 8px 14px 10px; }
form { display: flex; gap: 8px; align-items: flex-end; }
textarea { flex: 1; min-width: 0; resize: none; border: 1px solid var(--soft); border-radius: 8px; padding: 6px 10px; background: var(--ground); font-size: 16px; }
textarea::placeholder { color: var(--soft); opacity: 1; }
[type=submit] { background: var(--accent); color: var(--on-accent); border-color: var(--accent); font-weight: 600; }
.choices { display: flex; flex-wrap: wrap; gap: 6px; padding: 4px; margin: -4px -4px 4px; max-height: 30vh; overflow-y: auto; }
.choices button { border-color: var(--accent); }
.hint { color: var(--soft); font-size: .8em; padding-top: 4px; }
.problem { color: var(--warn); padding-bottom: 6px; }
.typing, .thinking, .who-is-there { color: var(--soft); font-size: .88em; padding: 2px 14px 4px; }
:is(.status, .problem, .typing, .thinking, .who-is-there):empty { padding: 0; border: 0; }
.attach { flex: none; width: 2.4em; padding: 0; align-self: stretch; }
.attach::before { content: ""; display: block; width: 9px; height: 18px; margin: auto; border: 2px solid currentColor; border-radius: 6px; transform: rotate(35deg); }
.dropping { outline: 3px dashed var(--accent); outline-offset: -6px; }
ul { list-style: none; margin: 0; padding: 0; }
.tray { max-height: 24vh; overflow-y: auto; padding-bottom: 6px; }
.tray li { display: grid; grid-template-columns: 1fr auto; gap: 0 8px; align-items: center; padding: 4px 0; border-bottom: 1px solid var(--line); }
.file-name { overflow-wrap: anywhere; font-weight: 600; }
.file-state { grid-column: 1; color: var(--soft); font-size: .85em; }
[data-state=failed] .file-state { color: var(--warn); }
.tray progress { grid-column: 1; width: 100%; accent-color: var(--accent); }
.tray button { grid-area: 1 / 2 / span 2; min-width: 2.4em; }
.files { max-width: 88%; margin-top: 4px; }
.files button { text-align: start; overflow-wrap: anywhere; text-decoration: underline; margin-top: 2px; min-height: 2em; }
.person, .subscription { width: 100%; margin-top: 8px; }
.subscription { margin-top: 4px; border-color: transparent; color: var(--soft); font-size: .9em; }
.news { flex: none; max-height: 40%; overflow-y: auto; background: var(--raised); border-bottom: 1px solid var(--line); padding: 6px 14px; }
.news summary { cursor: pointer; font-weight: 600; min-height: 1.8em; }
.news h3 { margin: 8px 0 0; font-size: 1em; }
.news p { white-space: pre-line; overflow-wrap: anywhere; }
.news time { color: var(--soft); font-size: .82em; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (max-width: 480px) {
  .panel { inset: 0; width: 100%; height: 100dvh; border-radius: 0; border: 0; }
  .panel:not([hidden]) + .launcher, .hint { display: none; }
}
`);
