"""A13: whatever people attach does nothing to anybody: it is kept as it came, typed by content, and only ever saved.

python -m tests.acceptance.a13_inert_attachments --database both

By mail (declared as pictures, all of them) and by the chat's upload; downloaded by an agent over HTTP and by their
sender. The virus scanner is played by a server that speaks clamd's protocol and knows EICAR.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import unicodedata
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
from sqlalchemy import select
from websockets.asyncio.client import connect

from actions.commands import HandToPerson, OpenCase
from bot.demo.colleague import at_work
from bot.store.file_tables import FileCheck
from bot.store.store import Store
from bot.store.tables import Evidence, Inbox
from tests.acceptance.a07_no_loops import at_rest
from tests.acceptance.bar import Bar, main
from tests.attachments.clamd import EICAR, FakeClamd, clamd
from tests.attachments.world import LNK, bomb, macro_docx, overlapping, picture
from tests.fakes.rasa import FakeRasa
from tests.fakes.web import serving
from tests.process.desk import ADMIN_PASSWORD, DeskProcess
from tests.process.wire import offer

WAIT_SECONDS = 60.0
SENDER = "li@user.example"
PAGE = b"<!DOCTYPE html><script>document.title=1</script>"
FILES: Mapping[str, tuple[str, bytes]] = {
    "html": ("page.html", PAGE),
    "svg": ("drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
    "xhtml": ("page.xhtml", b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><script/></html>'),
    "js": ("code.js", b"alert(document.cookie)"),
    "pdf": ("letter.pdf", b"%PDF-1.7\n1 0 obj<</S/JavaScript/JS(app.alert(1))>>endobj"),
    "GIF with script": ("dot.gif", b"GIF89a<script>alert(1)</script>"),
    "picture": ("proof.png", picture()),
    "zip bomb": ("all.zip", bomb(200)),
    "overlap zip": ("more.zip", overlapping()),
    "shortcut": ("proof.pdf.lnk", LNK),
    "macro docx": ("letter.docx", macro_docx()),
    "../../x": ("../../x", b"climbs"),
    "..\\..\\x": ("..\\..\\x.exe", b"MZ climbs"),
    "NUL": ("a\0b.exe", b"MZ nul"),
    "RLO": ("evidence\u202egnp.exe", b"MZ rlo"),
    "300 characters": ("x" * 300 + ".exe", b"MZ 300"),
    "1,500 characters": ("证" * 1_500 + ".exe", b"MZ 1500"),
    "EICAR": ("eicar.com", EICAR),
}
ENDINGS = {"NUL": ".exe", "RLO": ".exe", "300 characters": ".exe", "1,500 characters": ".exe", "shortcut": ".lnk"}
STORES = ("evidence", "previews", "raw", "uploads")
OF_A_STORE = re.compile(r"[0-9a-f]{2}/[0-9a-f]{64}(\.png)?")
FORBIDDEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


@dataclass
class Sent:
    """How one channel had the files, and the paths by which their sender gets them back."""

    accepted: int
    paths: Mapping[str, str]
    headers: Mapping[str, str]


async def run(bar: Bar, folder: Path, database_url: str) -> None:
    complaint = (OpenCase(label="withdrawal_issue"), HandToPerson(reasons=("money_missing",)))
    async with clamd() as scanner, serving(FakeRasa(lambda _body: complaint).app) as rasa_url:
        desk = DeskProcess(folder, database_url, rasa_url, FILES__CLAMD=scanner.address, FILES__SCAN_SECONDS="5")
        await desk.start()
        store = Store(database_url)
        try:
            await _everything(bar, desk, store, scanner)
        finally:
            store.close()
            await desk.stop()


async def _everything(bar: Bar, desk: DeskProcess, store: Store, scanner: FakeClamd) -> None:
    memory, disk = desk.resident_bytes(), _disk(desk)
    mailed = await _by_mail(desk)
    chatted = await _by_chat(desk)
    bar.require(mailed == len(FILES), "mails accepted with 250", mailed)
    bar.require(chatted.accepted == len(FILES), "chat uploads stored", chatted.accepted)
    await at_rest(store)
    await _until(lambda: _all_looked_at(store))
    rows = await store.read(_evidence)
    _kept(bar, desk, rows)
    _bounded(bar, desk, memory, disk)
    async with at_work(desk.url, "admin", "Admin", ADMIN_PASSWORD, lambda *_: None) as agent:
        await _by_agent(bar, agent._http, rows)
        await _by_sender(bar, desk, chatted)
        await _scanner_down(bar, desk, store, scanner, agent._http)


def _mail(name: str, data: bytes) -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = SENDER, "complaints@exchange.example", "My evidence"
    mail["Message-ID"] = f"<{hashlib.sha256(name.encode() + data).hexdigest()}@user.example>"
    mail.set_content("My withdrawal is missing, see the file.")
    mail.add_attachment(data, maintype="image", subtype="png", filename=name)
    return mail.as_bytes()


async def _by_mail(desk: DeskProcess) -> int:
    said = [await offer(desk.smtp_port, _mail(name, data), SENDER) for name, data in FILES.values()]
    return sum(answer.startswith("250") for answer in said)


async def _by_chat(desk: DeskProcess) -> Sent:
    async with httpx.AsyncClient(base_url=desk.url, trust_env=False, timeout=60) as http:
        session = (await http.post("/chat/session", json={})).json()
        headers = {"Authorization": f"Bearer {session['session']}.{session['secret']}", "Tus-Resumable": "1.0.0"}
        paths = {kind: await _upload(http, headers, name, data) for kind, (name, data) in FILES.items()}
    stored = 0
    async with connect(f"{desk.url.replace('http', 'ws', 1)}/chat/ws") as socket:
        keys = {"session": session["session"], "secret": session["secret"], "after": 0, "language": "zh"}
        await socket.send(json.dumps({"type": "hello", "version": 1, **keys, "token": None}))
        for number, path in enumerate(paths.values()):
            files = [path.rpartition("/")[2]]
            await socket.send(
                json.dumps({"type": "message", "id": f"message-{number}", "text": "看附件", "files": files})
            )
            stored += await _stored(socket, f"message-{number}")
    return Sent(stored, paths, headers)


async def _upload(http: httpx.AsyncClient, headers: Mapping[str, str], name: str, data: bytes) -> str:
    named = f"filename {base64.b64encode(name.encode()).decode()}"[:4_000]
    length = {"Upload-Length": str(len(data)), "Upload-Metadata": named}
    if len(name) > 1_000:  # what does not fit into a header of the protocol comes as its ending only
        length["Upload-Metadata"] = f"filename {base64.b64encode(name[-900:].encode()).decode()}"
    made = (await http.post("/chat/files", headers={**headers, **length})).raise_for_status()
    path = str(made.headers["location"])
    piece = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    (await http.patch(path, headers={**headers, **piece}, content=data)).raise_for_status()
    return path


async def _stored(socket: Any, client_id: str) -> bool:
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            frame = json.loads(await socket.recv())
            if frame.get("id") == client_id and frame["type"] in ("stored", "error"):
                return bool(frame["type"] == "stored")


def _evidence(connection: Any) -> Sequence[Any]:
    query = select(Evidence.id, Evidence.sha256, Evidence.filename, Evidence.content_type, Inbox.channel)
    return list(connection.execute(query.join(Inbox, Inbox.id == Evidence.inbox_id).order_by(Evidence.id)))


async def _all_looked_at(store: Store) -> bool:
    query = select(FileCheck.examined, FileCheck.scan)
    rows = await store.read(lambda c: list(c.execute(query)))
    return len(rows) >= len(FILES) and all(row.examined and row.scan != "waiting" for row in rows)


async def _until(done: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while not await done():
            await asyncio.sleep(0.1)


def _kept(bar: Bar, desk: DeskProcess, rows: Sequence[Any]) -> None:
    expected = sorted(hashlib.sha256(data).hexdigest() for _, data in FILES.values())
    for channel in ("mail", "webchat"):
        found = sorted(row.sha256 for row in rows if row.channel == channel)
        bar.require(found == expected, f"kept with equal bytes by {channel}", f"{len(found)} of {len(FILES)}")
    data = desk.folder / "data"
    strays = [
        path
        for store in STORES
        for path in (data / store).rglob("*")
        if path.is_file() and not OF_A_STORE.fullmatch(str(path.relative_to(data / store)))
    ]
    named = {re.split(r"[/\\]", name)[-1] for name, _ in FILES.values()}
    named |= {row.filename for row in rows}
    strays += [path for path in desk.folder.rglob("*") if path.name in named]
    bar.require(not strays, "files outside the store, or named by strangers", len(strays))
    lied = [row for row in rows if row.content_type == "image/png" and row.sha256 != _digest("picture")]
    bar.require(not lied, "declared as a picture and believed", len(lied))


def _bounded(bar: Bar, desk: DeskProcess, memory: int, disk: int) -> None:
    size = 2 * sum(len(data) for _, data in FILES.values())
    grown, filled = (desk.resident_bytes() - memory) >> 20, (_disk(desk) - disk) >> 20
    bar.require(filled <= (2 * size >> 20) + 10, "the disk grew by (MiB), bombs included", filled)
    bar.require(grown <= (size >> 20) + 64, "the desk's memory grew by (MiB)", grown)


def _disk(desk: DeskProcess) -> int:
    stores = [desk.folder / "data" / name for name in STORES]
    return sum(path.stat().st_size for folder in stores for path in folder.rglob("*") if path.is_file())


def _digest(kind: str) -> str:
    return hashlib.sha256(FILES[kind][1]).hexdigest()


async def _by_agent(bar: Bar, http: httpx.AsyncClient, rows: Sequence[Any]) -> None:
    kinds = {hashlib.sha256(data).hexdigest(): kind for kind, (_, data) in FILES.items()}
    unlike, loose, names, drawn = [], [], [], []
    for row in rows:
        kind, answer = kinds[row.sha256], await http.get(f"/console/evidence/{row.id}")
        preview = await http.get(f"/console/evidence/{row.id}/preview")
        drawn += [kind] if preview.status_code == 200 else []
        if kind == "EICAR":
            bar.require(answer.status_code == 403, f"EICAR by {row.channel} blocked for agents", answer.status_code)
            continue
        unlike += [kind] if (answer.status_code, answer.content) != (200, FILES[kind][1]) else []
        loose += [kind] if not _inert(answer) else []
        names += [f"{kind}: {row.filename!r}"] if not _clean(kind, answer) else []
    bar.require(not unlike, "bytes equal the original for an agent, all but EICAR", unlike or len(rows) - 2)
    bar.require(not loose, "served as attachment, neutral, nosniff, sandboxed", loose or "all")
    bar.require(not names, "names cleaned, endings kept", names or "all")
    bar.require(drawn == ["picture", "picture"], "previews: of the real picture only", drawn)
    png = await http.get(f"/console/evidence/{next(r.id for r in rows if kinds[r.sha256] == 'picture')}/preview")
    ours = png.headers["content-type"] == "image/png" and png.content not in [data for _, data in FILES.values()]
    bar.require(ours and _sandboxed(png), "the preview is our own PNG, sandboxed", len(png.content))


def _inert(answer: httpx.Response) -> bool:
    neutral = answer.headers["content-type"] == "application/octet-stream"
    return neutral and answer.headers["content-disposition"].startswith("attachment;") and _sandboxed(answer)


def _sandboxed(answer: httpx.Response) -> bool:
    policy = answer.headers["content-security-policy"]
    return policy == "sandbox; default-src 'none'" and answer.headers["x-content-type-options"] == "nosniff"


def _clean(kind: str, answer: httpx.Response) -> bool:
    name = unquote(answer.headers["content-disposition"].partition("UTF-8''")[2])
    odd = [c for c in name if unicodedata.category(c) in FORBIDDEN or c in "/\\"]
    return bool(name) and len(name) <= 255 and not odd and ".." not in name and name.endswith(ENDINGS.get(kind, ""))


async def _by_sender(bar: Bar, desk: DeskProcess, sent: Sent) -> None:
    unlike, loose = [], []
    async with httpx.AsyncClient(base_url=desk.url, trust_env=False, headers=sent.headers, timeout=60) as http:
        for kind, path in sent.paths.items():
            answer = await http.get(path)
            if kind == "EICAR":
                code = answer.json()["code"]
                bar.require((answer.status_code, code) == (403, "file_infected"), "EICAR for its sender", code)
                continue
            unlike += [kind] if answer.content != FILES[kind][1] else []
            loose += [kind] if not _inert(answer) else []
    bar.require(not unlike and not loose, "the sender gets the same bytes, as inert", unlike + loose or "all")
    kept = desk.folder / "data" / "evidence" / _digest("EICAR")[:2] / _digest("EICAR")
    bar.require(kept.read_bytes() == EICAR, "EICAR is kept as evidence, byte for byte")


async def _scanner_down(bar: Bar, desk: DeskProcess, store: Store, scanner: FakeClamd, http: httpx.AsyncClient) -> None:
    """F33: not lost, not opened, said; and when it is back, judged."""
    await scanner.stop()
    said = await offer(desk.smtp_port, _mail("later.txt", b"sent while the scanner is down"), SENDER)
    bar.require(said.startswith("250"), "while the scanner is down mail is taken", said[:3])
    await at_rest(store)
    await _until(lambda: _degraded(desk, True))
    metrics = (await http.get("/metrics")).text
    bar.require("redress_scanner_up 0.0" in metrics, "/metrics says that the scanner is down")
    state = await desk.state()
    bar.require(state["ready"] and "scanner" in state["degraded"], "/readyz says degraded, and ready")
    newest = max(row.id for row in await store.read(_evidence))
    blocked = await http.get(f"/console/evidence/{newest}")
    bar.require(blocked.status_code == 409, "the unscanned file is blocked for agents", blocked.status_code)
    await scanner.start()
    await _until(lambda: _all_looked_at(store))
    opened = await http.get(f"/console/evidence/{newest}")
    good = (opened.status_code, opened.content) == (200, b"sent while the scanner is down")
    bar.require(good, "and handed out when the scanner is back", opened.status_code)
    await _until(lambda: _degraded(desk, False))
    bar.require(True, "/readyz is clear again")


async def _degraded(desk: DeskProcess, wanted: bool) -> bool:
    return ("scanner" in (await desk.state())["degraded"]) == wanted


if __name__ == "__main__":
    main("A13", run)
