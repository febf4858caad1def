"""An orderly stop under load: nothing lost, nothing repeated, nobody told what is not so, and nobody left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import select, text

from bot.store.store import Store
from bot.store.tables import Inbox, Outbox
from bot.supervise import STOP_SECONDS
from tests.operator.commands import Traffic, books, quiet
from tests.process.desk import NO_CAPS, ROOT, DeskProcess
from tests.process.people import letter, post

STOPS = 2


@pytest.mark.timeout(400)
async def test_a_stop_under_load_loses_and_repeats_nothing(database_url: str, tmp_path: Path, rasa_url: str) -> None:
    desk = DeskProcess(tmp_path, database_url, rasa_url, **NO_CAPS)
    await desk.start()
    traffic = Traffic(desk, chatters=4, mailers=2)
    traffic.start()
    for _ in range(STOPS):
        await traffic.grow(10)
        async with asyncio.timeout(STOP_SECONDS):
            assert await desk.stop() == 0
        await desk.start()
    await traffic.grow(4)
    await traffic.stop()
    store = Store(database_url)
    await quiet(store)
    for chatter in traffic.chatters:
        await chatter.wait_for(len(chatter.stored))
        assert (len(chatter.heard()), chatter.shown_twice) == (len(chatter.stored), 0)
        assert {error["code"] for error in chatter.errors} <= {"not_saved"}
    assert await desk.stop() == 0
    await check(store, traffic)
    store.close()
    code, book = await books(desk, "--files")
    assert (code, book["received"], book.get("in_progress", 0)) == (0, len(traffic.confirmed), 0)


async def check(store: Store, traffic: Traffic) -> None:
    """Every message that was confirmed is there once, and was answered once."""
    texts = await store.read(lambda c: [row[0] for row in c.execute(select(Inbox.text))])
    words = Counter(word for said in texts for word in said.split() if word in traffic.confirmed)
    assert words == Counter(traffic.confirmed)
    origins = await store.read(lambda c: [row[0] for row in c.execute(select(Outbox.origin))])
    first = [origin for origin in origins if origin.endswith(":0")]
    assert len(first) == len(set(first)) == len(texts)
    states = await store.read(lambda c: {row[0] for row in c.execute(select(Outbox.state))})
    assert states == {"sent"}


async def test_being_asked_to_stop_again_and_again_breaks_nothing(tmp_path: Path, rasa_url: str) -> None:
    url = f"sqlite:///{tmp_path / 'redress.db'}"
    desk = DeskProcess(tmp_path, url, rasa_url)
    await desk.start()
    traffic = Traffic(desk, chatters=2, mailers=2)
    traffic.start()
    await traffic.grow(6)
    for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
        os.kill(desk.pid, number)
    assert await desk.process.wait() == 0 if desk.process else False
    await desk.start()
    await traffic.stop()
    store = Store(url)
    await quiet(store)
    assert await store.read(lambda c: c.execute(text("PRAGMA integrity_check")).scalar_one()) == "ok"
    assert await desk.stop() == 0
    await check(store, traffic)
    store.close()


class RunDesk(DeskProcess):
    """`redress run` with a Rasa and a back office that run elsewhere: it starts and watches the app alone."""

    async def begin(self) -> asyncio.StreamReader:
        """What it prints."""
        self._settings |= {"BACKOFFICE_URL": "http://127.0.0.1:9", "BACKOFFICE_TOKEN": "token"}
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot.cli", "run"), cwd=ROOT, env=self.env, stdout=asyncio.subprocess.PIPE
        )
        assert self.process.stdout is not None
        return self.process.stdout

    async def run(self) -> None:
        said = await self.begin()
        async with asyncio.timeout(120):
            while (line := await said.readline()) != b"ready\n":
                assert line, "redress run ended"

    def family(self) -> Sequence[int]:
        """Process ids of the supervisor's children and theirs."""
        return [child for parent in [self.pid, *_children(self.pid)] for child in _children(parent)]


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(FileNotFoundError):  # a thread or process that ended while we looked
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


async def gone(pids: Sequence[int]) -> None:
    async with asyncio.timeout(60):
        while any(_runs(pid) for pid in pids):
            await asyncio.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
async def run_desk(tmp_path: Path, rasa_url: str) -> RunDesk:
    """Running, with a process that has read a mail."""
    desk = RunDesk(tmp_path, f"sqlite:///{tmp_path / 'redress.db'}", rasa_url)
    await desk.run()
    store = Store(f"sqlite:///{tmp_path / 'redress.db'}")
    assert (await post(desk, letter("li@user.example", "Help", "hello"), "li@user.example")).startswith("250")
    await quiet(store)
    store.close()
    return desk


async def test_the_supervisor_passes_a_stop_on_and_leaves_nobody(run_desk: RunDesk) -> None:
    family = run_desk.family()
    assert len(family) >= 2
    assert await run_desk.stop() == 0
    assert [pid for pid in family if _runs(pid)] == []


async def test_a_stop_while_the_app_is_being_started_leaves_nobody(tmp_path: Path, rasa_url: str) -> None:
    desk = RunDesk(tmp_path, f"sqlite:///{tmp_path / 'redress.db'}", rasa_url)
    await desk.begin()
    async with asyncio.timeout(60):
        while not (family := desk.family()):
            await asyncio.sleep(0.001)
    assert await desk.stop() == 0
    await gone(family)


async def test_a_killed_supervisor_leaves_nobody_either(run_desk: RunDesk) -> None:
    family = run_desk.family()
    await run_desk.kill()
    await gone(family)


async def test_a_second_ctrl_c_at_the_supervisor_changes_nothing(run_desk: RunDesk) -> None:
    family = run_desk.family()
    for number in (signal.SIGINT, signal.SIGINT, signal.SIGTERM):
        os.kill(run_desk.pid, number)
    assert run_desk.process is not None
    assert await run_desk.process.wait() == 0
    assert [pid for pid in family if _runs(pid)] == []
