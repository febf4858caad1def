"""A6: hostile and broken mails are taken at once, kept byte for byte, read where they can be, and cost one process.

python -m tests.acceptance.a06_hostile_mail --database both
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import os
import quopri
import re
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache, partial
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import httpx
from sqlalchemy import Row, select

from actions.commands import OpenCase
from bot.files import Files
from bot.store.store import Store
from bot.store.tables import Conversation, Evidence, Inbox
from tests.acceptance.bar import Bar, main
from tests.acceptance.kept import damaged
from tests.fakes.rasa import FakeRasa
from tests.fakes.web import serving
from tests.process.desk import ADMIN_PASSWORD, NO_CAPS, DeskProcess
from tests.process.wire import INBOX, offer

SECONDS = 3.0
CPU_SECONDS = 15.0
MEMORY_BYTES = 512 * 1024 * 1024
READ_SECONDS = 60.0
WATCH_SECONDS = 0.02
ZH = "我的提现三天没有到账，请帮我查一下。"
TRADITIONAL = "我的提現三天沒有到帳，請幫我查一下。"
EN = "My withdrawal is missing since Monday."
TICKS = os.sysconf("SC_CLK_TCK")
CSRF = re.compile(r'name="csrf" value="([^"]+)"')
FIRST_LINE = re.compile(r'<article class="line line-user">.*?</article>', re.DOTALL)
SHOWN = ('class="said"', 'class="odd"', 'class="files"')


@dataclass(frozen=True)
class Made:
    """`says`: what must be read in it. `subject`, `file`: likewise, the file by its name and content."""

    content: bytes
    says: str | None = None
    subject: str | None = None
    file: tuple[str, bytes] | None = None


def _mail(head: str | bytes, body: bytes, subject: str | bytes = "Help") -> bytes:
    lines = [b"From: Li <li@mail.example>", b"To: " + INBOX.encode(), b"Subject: " + _bytes(subject)]
    lines += [b"MIME-Version: 1.0", *([_bytes(head)] if head else []), b""]
    return b"\r\n".join(lines) + b"\r\n" + body + b"\r\n"


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _text(charset: str, codec: str, text: str = ZH, coding: str = "8bit") -> Made:
    raw = text.encode(codec)
    body = {"8bit": raw, "base64": base64.encodebytes(raw).replace(b"\n", b"\r\n"), "quoted-printable": b""}[coding]
    body = body or quopri.encodestring(raw).replace(b"\n", b"\r\n")
    head = f"Content-Type: text/plain{charset}\r\nContent-Transfer-Encoding: {coding}"
    return Made(_mail(head, body), says=text)


def _titled(word: str, codec: str) -> Made:
    """`word`: how the subject is written, with {} for its base64 or the octets of quoted-printable."""
    raw = ZH.encode(codec)
    q = "".join(f"={octet:02X}" for octet in raw)
    words = word.format(b=base64.b64encode(raw).decode(), q=q)
    return Made(_mail("", EN.encode(), words), says=EN, subject=ZH)


def _attached(head: str | bytes, content: bytes, shown: str) -> Made:
    """A word in plain text and one file."""
    encoded = base64.encodebytes(content).replace(b"\n", b"\r\n")
    parts = b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + ZH.encode() + b"\r\n--b\r\n" + _bytes(head)
    body = parts + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + encoded + b"--b--"
    return Made(_mail('Content-Type: multipart/mixed; boundary="b"', body), says=ZH, file=(shown, content))


def _nested(levels: int) -> bytes:
    heads = [f'Content-Type: multipart/mixed; boundary="b{n}"\r\n\r\n--b{n}\r\n' for n in range(levels)]
    return ("From: li@mail.example\r\nSubject: deep\r\n" + "".join(heads) + f"\r\n{EN}\r\n").encode()


def _parts(count: int, filler: int = 1) -> bytes:
    body = (b"--b\r\n\r\n" + b"x" * filler + b"\r\n") * count + b"--b--"
    return _mail("Content-Type: multipart/mixed; boundary=b", body)


def _enclosed(levels: int) -> bytes:
    return b"Subject: enclosed\r\n" + b"Content-Type: message/rfc822\r\n\r\n" * levels + EN.encode() + b"\r\n"


def _uuencoded(data: bytes) -> bytes:
    lines = [binascii.b2a_uu(data[at : at + 45]).rstrip(b"\n") for at in range(0, len(data), 45)]
    return b"\r\n".join([b"begin 644 proof.txt", *lines, b"`", b"end"])


@cache
def _zip_bomb() -> bytes:
    """64 MiB of zeros in 64 KiB."""
    archive = BytesIO()
    with ZipFile(archive, "w", ZIP_DEFLATED) as packer:
        packer.writestr("0.bin", bytes(64 * 2**20))
    return archive.getvalue()


TNEF = b"\x78\x9f\x3e\x22\x01\x00\x01\x06\x90\x08\x00\x04\x00\x00\x00\x00\x00\x01\x00\x01\x00\x01\x07\x90\x06" + bytes(
    90
)


def chinese() -> Mapping[str, Made]:
    hz = "; charset=hz-gb-2312"
    return {
        "gb18030": _text("; charset=gb18030", "gb18030"),
        "gb18030, four octets": _text("; charset=GB18030", "gb18030", ZH + "㐂𠮷"),
        "gbk called gb2312": _text('; charset="gb2312"', "gbk", ZH + "朱镕基"),
        "gbk, base64": _text("; charset=GBK", "gbk", coding="base64"),
        "gb2312, quoted-printable": _text("; charset=gb2312", "gb2312", coding="quoted-printable"),
        "gb18030 without a charset": _text("", "gb18030"),
        "gbk called us-ascii": _text("; charset=us-ascii", "gbk"),
        "gbk called iso-8859-1": _text("; charset=iso-8859-1", "gbk"),
        "gbk under an unknown charset": _text("; charset=x-made-up", "gbk"),
        "big5": _text("; charset=big5", "big5", TRADITIONAL),
        "big5-hkscs, base64": _text("; charset=Big5-HKSCS", "big5hkscs", TRADITIONAL + "嘅", "base64"),
        "hz": _text(hz, "hz"),
        "utf-8 without a charset": _text("", "utf-8"),
        "utf-8 called gb2312": _text("; charset=gb2312", "utf-8"),
        "utf-8 called iso-8859-1": _text("; charset=iso-8859-1", "utf-8"),
        "utf-8 with a mark": _text("; charset=utf-8", "utf-8-sig"),
        "utf-16": _text("; charset=utf-16", "utf-16", coding="base64"),
        "utf-16le": _text("; charset=utf-16le", "utf-16-le", coding="base64"),
        "html, gbk": Made(_mail("Content-Type: text/html; charset=gbk", f"<p>{ZH}</p>".encode("gbk")), says=ZH),
        "subject gb2312 b": _titled("=?gb2312?B?{b}?=", "gb2312"),
        "subject gb18030 q": _titled("=?GB18030?Q?{q}?=", "gb18030"),
        "subject hz b": _titled("=?hz-gb-2312?B?{b}?=", "hz"),
        "subject utf-8, cut in a character": _titled_in_pieces(),
        "subject as raw gbk": Made(_mail("", EN.encode(), ZH.encode("gbk")), says=EN, subject=ZH),
        "subject as raw utf-8": Made(_mail("", EN.encode(), ZH), says=EN, subject=ZH),
    }


def _titled_in_pieces() -> Made:
    raw = ZH.encode()
    words = [f"=?utf-8?B?{base64.b64encode(raw[at : at + 10]).decode()}?=" for at in range(0, len(raw), 10)]
    return Made(_mail("", EN.encode(), "\r\n ".join(words)), says=EN, subject=ZH)


def files() -> Mapping[str, Made]:
    name = "转账截图.png"
    gbk_q = "".join(f"%{octet:02X}" for octet in name.encode("gbk"))
    named = "Content-Type: image/png\r\nContent-Disposition: attachment; "
    zipped = "Content-Type: application/zip\r\nContent-Disposition: attachment; filename=42.zip"
    tnef = (
        "Content-Type: application/ms-tnef; name=winmail.dat\r\nContent-Disposition: attachment; filename=winmail.dat"
    )
    word = base64.b64encode(name.encode("gbk")).decode()
    up = named + "filename=../../../etc/proof.png"
    return {
        "zip bomb": _attached(zipped, _zip_bomb(), "42.zip"),
        "winmail.dat": _attached(tnef, TNEF, "winmail.dat"),
        "file name RFC 2231, gbk": _attached(f"{named}filename*=gbk''{gbk_q}", b"png", name),
        "file name RFC 2047, gbk": _attached(f'{named}filename="=?gbk?B?{word}?="', b"png", name),
        "file name as raw utf-8": _attached(f'{named}filename="{name}"', b"png", name),
        "file name with folders": _attached(up, b"png", "proof.png"),
        "file name that turns round": _attached(f'{named}filename="\u202egpj.exe"', b"MZ", "gpj.exe"),
        "file name of 300": _attached(f"{named}filename={'x' * 300}.png", b"png", "x" * 116 + ".png"),
        "file without a name": _attached("Content-Type: application/pdf", b"%PDF", "attachment.pdf"),
    }


def broken() -> Mapping[str, bytes]:
    long_ = "Content-Type: text/plain; charset="
    html = "Content-Type: text/html; charset=utf-8"
    return {
        "multipart, 1,000 levels": _nested(1000),
        "multipart, 25 levels": _nested(25),
        "message/rfc822, 1,000 levels": _enclosed(1000),
        "message/rfc822, 3 levels": _enclosed(3),
        "100,000 parts": _parts(100_000),
        "To of 500 open brackets": b"To: " + b"(" * 500 + b"\r\nSubject: x\r\n\r\n" + EN.encode() + b"\r\n",
        "From of 40,000 open brackets": b"From: " + b"(<" * 20_000 + b"\r\n\r\n" + EN.encode() + b"\r\n",
        "Message-ID <[[[[": b"Message-ID: <[[[[\r\nReferences: <" + b"[" * 5000 + b"\r\n\r\n" + EN.encode() + b"\r\n",
        "To of 16,000 addresses": b"To: " + b"a@b.example, " * 16_000 + b"\r\n\r\n" + EN.encode() + b"\r\n",
        "unknown charset": _mail(long_ + "nonsense", EN.encode()),
        "idna charset": _mail(long_ + "idna", b"x" * 100),
        "utf-7 charset": _mail(html.replace("8", "7"), b"+ADw-script+AD4-alert(1)+ADw-/script+AD4-"),
        "unicode_escape charset": _mail(long_ + "unicode_escape", rb"\x3cscript\x3ealert(1)\x3c/script\x3e"),
        "multipart without a boundary": _mail("Content-Type: multipart/mixed", EN.encode()),
        "another boundary than it says": _mail("Content-Type: multipart/mixed; boundary=a", b"--b\r\n\r\nx\r\n--b--"),
        "50,000 nested div": _mail(html, b"<div>" * 50_000 + EN.encode()),
        "crossed tags": _mail(html, b"<b>" * 40_000 + b"</i>" * 30_000 + EN.encode()),
        "60,000 open comments": _mail(html, EN.encode() + b"<!--" * 60_000),
        "script and handlers": _mail(html, b"<svg onload=alert(1)><script>alert(1)</script>" + EN.encode()),
        "5,000 headers": b"X-Y: z\r\n" * 5000 + b"\r\n" + EN.encode() + b"\r\n",
        "a header of 500,000": _mail("X-Long: " + "a" * 500_000, EN.encode()),
        "a subject of 500,000": _mail("", EN.encode(), "a" * 500_000),
        "20,000 encoded words": _mail("", EN.encode(), "=?utf-8?q?a?=\r\n " * 20_000),
        "uuencode in the text": _mail("", EN.encode() + b"\r\n" + _uuencoded(b"proof " * 50)),
        "x-uuencode": _mail("Content-Transfer-Encoding: x-uuencode", _uuencoded(EN.encode())),
        "bad uuencode": _mail("Content-Transfer-Encoding: x-uuencode", b"begin 644 x\r\nM"),
        "bad base64": _mail(long_ + "utf-8\r\nContent-Transfer-Encoding: base64", b"!!!!="),
        "bad quoted-printable": _mail("Content-Transfer-Encoding: quoted-printable", b"=G=\xff="),
        "unknown encoding": _mail("Content-Transfer-Encoding: rot13", EN.encode()),
        "bad RFC 2231": _mail(long_.replace("=", "*=x'y; name*0*=%; name*9999999999999=z"), EN.encode()),
        "a type of nothing": _mail(b"Content-Type: /;;;=;\x80", EN.encode()),
        "NUL everywhere": _mail("X-Nul: a\0b", b"a\0b\0" * 1000, "a\0b"),
        "all octets": _mail("", bytes(range(256)) * 50),
        "bare CR and LF": b"From: li@mail.example\nSubject: x\r\rone\rtwo\nthree\r\n",
        "a line of 1,000,000": _mail("", b"word " * 200_000),
        "no header": EN.encode() + b"\r\n",
        "no body": b"From: li@mail.example\r\nSubject: x\r\n",
        "nothing": b"",
        "an empty line": b"\r\n",
        "two From, two Subject": b"From: a@x.example\r\nSubject: 1\r\n" + _mail("", EN.encode()),
        "dots": _mail("", b".\r\n..\r\n.hidden\r\n" + EN.encode()),
    }


def corpus(*, all_: bool) -> Iterator[tuple[str, Made]]:
    yield from chinese().items()
    yield from files().items()
    yield from ((name, Made(content)) for name, content in broken().items())
    if all_:
        yield "130,000 parts, 25 MB", Made(_parts(130_000, 180))


class Watch:
    """What the processes that read mail use, looked at all the time."""

    def __init__(self, desk: DeskProcess) -> None:
        self._desk = desk
        self._cpu: dict[int, float] = {}
        self.most_memory = 0

    async def run(self) -> None:
        while True:
            for pid in self._desk.parsers():
                self._look(pid)
            await asyncio.sleep(WATCH_SECONDS)

    def cpu(self) -> float:
        """Seconds of all of them together since the start."""
        return sum(self._cpu.values())

    def _look(self, pid: int) -> None:
        try:
            ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
            peak = re.search(r"VmPeak:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
        except OSError:
            return
        self._cpu[pid] = sum(map(int, ticks)) / TICKS
        self.most_memory = max(self.most_memory, int(peak.group(1)) * 1024 if peak else 0)


class Trial:
    def __init__(self, bar: Bar, desk: DeskProcess, store: Store) -> None:
        self._bar, self._desk, self._store = bar, desk, store
        self._watch = Watch(desk)
        self.rows: dict[str, Row[int, int, str, str, str]] = {}
        self._waits: dict[str, float] = {}
        self._cpu: dict[str, float] = {}
        self._refused: list[str] = []

    async def send(self, mails: Mapping[str, Made]) -> None:
        """One after the other, each when the one before was read, so that what it costs can be told."""
        watching = asyncio.create_task(self._watch.run())
        try:
            for name, made in mails.items():
                await self._one(name, made)
        finally:
            watching.cancel()

    async def _one(self, name: str, made: Made) -> None:
        began, before = time.monotonic(), self._watch.cpu()
        sender = f"writer{len(self._waits)}@mail.example"
        said = await offer(self._desk.smtp_port, made.content, sender)
        self._waits[name] = time.monotonic() - began
        if not said.startswith("250"):
            self._refused.append(f"{name}: {said}")
            return
        self.rows[name] = await self._read(sender)
        await asyncio.sleep(2 * WATCH_SECONDS)
        self._cpu[name] = self._watch.cpu() - before

    async def _read(self, sender: str) -> Row[int, int, str, str, str]:
        columns = (Inbox.id, Inbox.conversation_id, Inbox.text, Conversation.subject, Inbox.state)
        query = select(*columns).join(Conversation, Conversation.id == Inbox.conversation_id)
        query = query.where(Inbox.sender == sender, Inbox.state != "new")
        async with asyncio.timeout(READ_SECONDS):
            while (row := await self._store.read(lambda c: c.execute(query).one_or_none())) is None:
                await asyncio.sleep(WATCH_SECONDS)
        return row

    def judge(self, count: int) -> None:
        self._bar.require(not self._refused, "answered 250", self._refused or f"{len(self.rows)} of {count}")
        slowest, cost = max(self._waits, key=self._waits.__getitem__), max(self._cpu, key=self._cpu.__getitem__)
        took = f"{self._waits[slowest]:.2f} s at most ({slowest})"
        self._bar.require(self._waits[slowest] <= SECONDS, f"250 within {SECONDS:g} s", took)
        used = f"{self._cpu[cost]:.1f} s at most ({cost})"
        self._bar.require(self._cpu[cost] <= CPU_SECONDS, f"CPU to read one, at most {CPU_SECONDS:g} s", used)
        peak = self._watch.most_memory
        self._bar.require(0 < peak <= MEMORY_BYTES, "memory of a reader, at most 512 MiB", f"{peak >> 20} MiB")


async def run(all_: bool, bar: Bar, folder: Path, database_url: str) -> None:
    mails = dict(corpus(all_=all_))
    async with serving(FakeRasa(lambda _body: (OpenCase(label="unclassified"),)).app) as rasa_url:
        desk = DeskProcess(folder, database_url, rasa_url, **NO_CAPS)
        await desk.start()
        store = Store(database_url)
        trial = Trial(bar, desk, store)
        try:
            await trial.send(mails)
            trial.judge(len(mails))
            wrong = await damaged(desk, store, [mails[name].content for name in trial.rows])
            kept = len(trial.rows) - len(wrong)
            bar.require(not wrong, "kept as sent, by SHA-256", f"{kept} of {len(mails)}")
            await _visible(bar, desk, trial)
            await _read_rightly(bar, folder, store, trial, mails)
        finally:
            store.close()
            await desk.stop()


async def _visible(bar: Bar, desk: DeskProcess, trial: Trial) -> None:
    """An agent opens the page of each: words, files, or the sentence that sends them to the original."""
    unseen, worded = [], 0
    async with _agent(desk.url) as http:
        for name, row in trial.rows.items():
            page = await http.get(f"/console/c/{row.conversation_id}")
            line = FIRST_LINE.search(page.text)
            shown = line is not None and any(mark in line.group() for mark in SHOWN)
            worded += line is not None and SHOWN[0] in line.group()
            if page.status_code != 200 or not shown or "<script>alert" in page.text:
                unseen.append(name)
    bar.require(not unseen, "visible to an agent", unseen or f"{len(trial.rows)}, {worded} of them with words")


@asynccontextmanager
async def _agent(url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=url, trust_env=False, headers={"Origin": url}, timeout=20) as http:
        token = CSRF.search((await http.get("/console/login")).text)
        assert token
        fields = {"csrf": token.group(1), "login": "admin", "password": ADMIN_PASSWORD}
        assert (await http.post("/console/login", data=fields)).status_code == 303
        yield http


async def _read_rightly(bar: Bar, folder: Path, store: Store, trial: Trial, mails: Mapping[str, Made]) -> None:
    known = {name: made for name, made in mails.items() if name in trial.rows and made.says}
    wrong = {name: trial.rows[name].text for name, made in known.items() if trial.rows[name].text != made.says}
    bar.require(not wrong, "words read rightly", wrong or f"{len(known)} of {len(known)}")
    titled = {name: made.subject for name, made in known.items() if made.subject}
    wrong = {name: trial.rows[name].subject for name, title in titled.items() if trial.rows[name].subject != title}
    bar.require(not wrong, "Chinese subjects read rightly", wrong or f"{len(titled)} of {len(titled)}")
    query = select(Evidence.inbox_id, Evidence.filename, Evidence.sha256)
    found = {row.inbox_id: row for row in await store.read(lambda c: c.execute(query).all())}
    evidence = Files(folder / "data" / "evidence")
    spoilt = []
    for name, made in known.items():
        if made.file is not None:
            row, (shown, content) = found.get(trial.rows[name].id), made.file
            digest = hashlib.sha256(content).hexdigest()
            right = (
                row is not None and (row.filename, row.sha256) == (shown, digest) and evidence.get(digest) == content
            )
            spoilt += [] if right else [f"{name}: {row.filename if row else 'no file'}"]
    files_ = sum(made.file is not None for made in known.values())
    bar.require(not spoilt, "files kept as sent under a clean name", spoilt or f"{files_} of {files_}")


if __name__ == "__main__":
    main("A6", partial(run, True))
