/** A file of the user's own, saved to their device. The desk wants the session's secret, so a plain link would not do. */

const FORGET_MS = 60_000;
const WITHHELD = new Set(["file_unscanned", "file_infected"]);

/** Why the desk does not give a file back: its own sentence. */
export class Withheld extends Error {}

export async function save(server, session, file, language) {
  const answer = await fetch(new URL(`/chat/files/${file.id}`, server), {
    headers: { Authorization: `Bearer ${session.session}.${session.secret}`, "Accept-Language": language },
    credentials: "omit",
  });
  if (!answer.ok) {
    const said = await answer.json().catch(() => ({}));
    throw WITHHELD.has(said.code) ? new Withheld(said.message) : new Error(`file: ${answer.status}`);
  }
  // As bytes without a type: whatever it is, the browser saves it and does not show it.
  const address = URL.createObjectURL(new Blob([await answer.arrayBuffer()], { type: "application/octet-stream" }));
  const link = Object.assign(document.createElement("a"), { href: address, download: file.name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), FORGET_MS);
}
