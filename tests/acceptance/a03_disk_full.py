"""A3: the data folder is full. Only "later" on every channel; with room again the desk goes on by itself.

python -m tests.acceptance.a03_disk_full

Mounts a file system of 32 MiB, for which it must be root. SQLite only: its database is in the data folder.
Left to `make acceptance`; `tests/process/test_faults.py` has a short form.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
from sqlalchemy import text

from bot import catalogue
from bot.store.migrate import migrate
from bot.store.store import Store
from tests.acceptance.bar import Bar, main
from tests.acceptance.kept import damaged, differently_shown
from tests.fakes.rasa import FakeRasa
from tests.fakes.web import serving
from tests.process.desk import DeskProcess
from tests.process.people import Chatter, NotSaved, letter
from tests.process.wire import offer

MIB = 1024 * 1024
DISK_MIB = 32
BALLAST_MIB = 6
"""Taken at the start: the room that an operator makes later."""
REFUSALS = 3
MOST_TRIES = 500
AGAIN_SECONDS = 30.0
LATER = re.compile(r"45[12]\b")


class Trial:
    """One desk on a small disk, and what people were told."""

    def __init__(self, desk: DeskProcess) -> None:
        self.desk = desk
        self.accepted: list[bytes] = []
        self.replies: list[str] = []
        self.chatters = {language: Chatter(desk, language=language) for language in ("en", "zh")}
        self.refusals: list[str] = []
        self._count = 0

    async def mail(self, size: int) -> bool:
        """One attempt with a mail of about `size` bytes; whether it was accepted."""
        self._count += 1
        sender = f"big{self._count}@mail.example"
        mail = letter(sender, f"投诉 {self._count}", ("x" * 70 + "\r\n") * (size // 72))
        self.replies.append(await offer(self.desk.smtp_port, mail, sender))
        if self.replies[-1].startswith("250"):
            self.accepted.append(mail)
        return self.replies[-1].startswith("250")

    async def chat(self, language: str) -> bool:
        """One attempt with one message; whether it was stored."""
        self._count += 1
        chatter, client_id = self.chatters[language], f"message-{self._count}"
        frame = json.dumps({"type": "message", "id": client_id, "text": f"我的提现 {self._count}"}, ensure_ascii=False)
        try:
            async with chatter.connected() as socket:
                await socket.send(frame)
                await chatter.listen(socket, until=client_id, seconds=20)
        except NotSaved:
            self.refusals.append(str(chatter.errors[-1]["message"]))
            return False
        self.accepted.append(frame.encode())
        return True

    async def upload(self, content: bytes) -> httpx.Response:
        """Announces a file and sends it (tus 1.0.0); the first answer that is no success, else the last."""
        session = self.chatters["en"].session
        headers = {"Authorization": f"Bearer {session['session']}.{session['secret']}", "Tus-Resumable": "1.0.0"}
        async with httpx.AsyncClient(base_url=self.desk.url, headers=headers, trust_env=False, timeout=30) as http:
            begun = await http.post("/chat/files", headers={"Upload-Length": str(len(content))})
            if begun.status_code != 201:
                return begun
            piece = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
            return await http.patch(begun.headers["Location"], content=content, headers=piece)


async def run(bar: Bar, folder: Path, _database_url: str) -> None:
    with small_disk(folder / "small") as disk:
        database_url = f"sqlite:///{disk}/redress.db"
        migrate(database_url)
        async with serving(FakeRasa().app) as rasa_url:
            desk = DeskProcess(disk, database_url, rasa_url, CHANNEL__WEBCHAT__MIN_FREE_DISK_BYTES="0")
            desk.log = folder / "app.log"
            await desk.start()
            store = Store(database_url)
            try:
                await _suffer(bar, desk, store, disk / "filler")
            finally:
                store.close()
                await desk.stop()


async def _suffer(bar: Bar, desk: DeskProcess, store: Store, filler: Path) -> None:
    trial, pid = Trial(desk), desk.pid
    ballast = filler.with_name("ballast")
    ballast.write_bytes(b"\0" * BALLAST_MIB * MIB)
    await trial.chat("en")
    while await trial.mail(MIB):
        await trial.chat("zh")
    bar.require(len(trial.accepted) > DISK_MIB // 2, "mails and chats accepted until it was full", len(trial.accepted))
    fill(filler)
    await _until_refused(bar, trial)
    await _refused(bar, trial)
    filler.unlink()
    ballast.unlink()
    await _again(bar, trial)
    bar.require(desk.alive and desk.pid == pid, "without a restart")
    wrong = await damaged(desk, store, trial.accepted)
    bar.require(not wrong, "accepted ones kept byte for byte", f"{len(trial.accepted) - len(wrong)}")
    shown = await differently_shown(desk, store, trial.accepted)
    bar.require(not shown, "shown so by `redress raw`", f"{len(trial.accepted) - len(shown)}")
    found = await store.read(lambda c: list(c.execute(text("PRAGMA integrity_check")).scalars()))
    bar.require(found == ["ok"], "PRAGMA integrity_check", *found)
    code, book = await desk.redress("reconcile")
    bar.require(code == 0, "redress reconcile", book.splitlines()[-1])


async def _until_refused(bar: Bar, trial: Trial) -> None:
    """SQLite has room of its own in files that were larger before: what fits into it is accepted, and kept."""
    before, refused = len(trial.accepted), 0
    for number in range(MOST_TRIES):
        taken = await trial.mail(50_000) if number % 2 else await trial.chat("zh" if number % 4 else "en")
        refused = 0 if taken else refused + 1
        if refused > REFUSALS:
            break
    bar.note(f"{len(trial.accepted) - before} small ones found room in the database's own files")


async def _refused(bar: Bar, trial: Trial) -> None:
    """Every door of the full desk, several times."""
    before = len(trial.accepted)
    for size in (200, 200, 100_000, MIB):
        await trial.mail(size)
    for language in ("en", "zh", "en", "zh"):
        await trial.chat(language)
    bar.require(len(trial.accepted) == before, "accepted while full", len(trial.accepted) - before)
    replies = Counter(reply[:9] for reply in trial.replies if not reply.startswith("250"))
    bar.require(all(LATER.match(reply) for reply in replies), "mail: only 451 and 452", dict(replies))
    words = {catalogue.whole().say("webchat.error_not_saved", language) for language in ("en", "zh")}
    bar.require(set(trial.refusals) == words, "chat: not saved, in the user's language", sorted(set(trial.refusals)))
    async with httpx.AsyncClient(base_url=trial.desk.url, trust_env=False, timeout=30) as http:
        _is_503(bar, "GET /readyz", await http.get("/readyz"), "reason")
    uploaded = await trial.upload(b"\x89PNG" + b"\0" * 100_000)
    _is_503(bar, "an upload", uploaded, "message")


def _is_503(bar: Bar, what: str, answer: httpx.Response, key: str) -> None:
    """Or 507, which says the same more exactly (RFC 4918 section 11.5)."""
    said = answer.json() if answer.headers.get("content-type", "").startswith("application/json") else {}
    figure = f"{answer.status_code} {json.dumps(said, ensure_ascii=False)[:160]}"
    bar.require(answer.status_code in (503, 507) and said.get(key), f"{what}: 503 or 507, the reason in JSON", figure)


async def _again(bar: Bar, trial: Trial) -> None:
    began = time.monotonic()
    doors: tuple[tuple[str, Callable[[], Awaitable[bool]]], ...] = (
        ("mail", lambda: trial.mail(200)),
        ("chat", lambda: trial.chat("zh")),
        ("/readyz", lambda: _ready(trial.desk)),
        ("upload", lambda: _uploaded(trial)),
    )
    for what, attempt in doors:
        async with asyncio.timeout(AGAIN_SECONDS):
            while not await attempt():
                await asyncio.sleep(0.5)
        took = time.monotonic() - began
        bar.require(took <= AGAIN_SECONDS, f"{what}: well again after room was made", f"{took:.1f} s")


async def _ready(desk: DeskProcess) -> bool:
    return bool((await desk.state())["ready"])


async def _uploaded(trial: Trial) -> bool:
    return (await trial.upload(b"\x89PNG" + b"\0" * 100_000)).status_code == 204


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A real file system of `DISK_MIB`. Raises PermissionError when it cannot be mounted."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(folder)]
    mounted = subprocess.run(command, check=False, capture_output=True, text=True)
    if mounted.returncode != 0:
        raise PermissionError(f"mounting a small file system needs root: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(filler: Path) -> None:
    """Takes the last byte."""
    with filler.open("wb", buffering=0) as file:
        for size in (MIB, 4096, 1):
            with suppress(OSError):
                while True:
                    file.write(b"\0" * size)


if __name__ == "__main__":
    main("A3", run)
