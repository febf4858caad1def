"""`redress run` as a newcomer starts it, with the real Rasa: the demo plays, a killed Rasa comes back, all stop."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot import catalogue
from tests.process.desk import ROOT, DeskProcess, free_port
from tests.process.people import Chatter

READY_SECONDS = 240
pytestmark = [pytest.mark.timeout(600), pytest.mark.asyncio(loop_scope="module")]


class WholeDesk(DeskProcess):
    """`redress run`: everything, watched."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "", "")
        self.site_port = free_port()
        for name in ("DATABASE_URL", "RASA_URL", "RASA_SECRET", "APP_TOKEN_SECRET"):
            del self._settings[name]
        self._settings["SITE_PORT"] = str(self.site_port)

    async def run(self) -> list[str]:
        """Starts it; the lines it printed up to "ready"."""
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot.cli", "run"),
            cwd=ROOT,
            env=self.env,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert self.process.stdout is not None
        lines: list[str] = []
        async with asyncio.timeout(READY_SECONDS):
            while not lines or lines[-1] != "ready":
                line = await self.process.stdout.readline()
                assert line, f"redress run ended: {lines}"
                lines.append(line.decode().rstrip())
        return lines

    def children(self) -> dict[str, int]:
        """Process ids by what they run."""
        assert self.process is not None
        found = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdecimal():
                continue
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if parent == self.process.pid:
                kind = next(
                    (k for k in ("rasa/serve.py", "-m actions ", "backoffice.demo", "serve") if k in command), ""
                )
                found[kind] = int(entry.name)
        return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[WholeDesk]:
    whole = WholeDesk(tmp_path_factory.mktemp("whole"))
    lines = await whole.run()
    assert any(str(whole.http_port) in line for line in lines)
    yield whole
    if whole.process is not None and whole.process.returncode is None:
        assert await whole.stop() == 0


async def test_the_demo_plays_through(desk: WholeDesk) -> None:
    code, said = await desk.redress("demo")
    assert code == 0, said
    assert said.count("RD-") >= 4
    assert "The demo is complete" in said
    code, book = await desk.redress("reconcile")
    assert code == 0
    assert json.loads(book.splitlines()[-1])["balanced"] is True


async def _keep_down(desk: WholeDesk, child: str) -> None:
    """A process that is back before the user's patience ends would answer after all."""
    while True:
        if pid := desk.children().get(child):
            os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(0.1)


async def test_a_killed_rasa_means_the_truth_and_comes_back(desk: WholeDesk) -> None:
    words = catalogue.whole()
    killing = asyncio.create_task(_keep_down(desk, "rasa/serve.py"))
    chatter = Chatter(desk, language="zh")
    await chatter.say("我的账户被冻结了，怎么回事")
    first = (await chatter.wait_for(1, seconds=10))[0]
    killing.cancel()
    assert first == words.say("case.assistant_unavailable", "zh")
    async with asyncio.timeout(READY_SECONDS):
        for missed in (True, False):  # the state may be a second old, and from before
            while ("rasa" in (await desk.state())["degraded"]) is not missed:
                await asyncio.sleep(0.2)
    another = Chatter(desk, language="zh")
    await another.say("你好")
    assert await another.wait_for(1) == [words.say("bot.greeting", "zh")]
    assert len(await chatter.wait_for(3)) == 3


async def test_nothing_listens_beyond_this_machine(desk: WholeDesk) -> None:
    """Rasa, the action server and the demo exchange are on the loopback address only (/proc/net/tcp, hexadecimal)."""
    everywhere = {"00000000", "0" * 32}
    for name, pid in desk.children().items():
        sockets = {str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir() if path.is_symlink()}
        for table in ("tcp", "tcp6"):
            for row in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
                columns = row.split()
                listening = columns[3] == "0A" and f"socket:[{columns[9]}]" in sockets
                assert not (listening and columns[1].split(":")[0] in everywhere), f"{name} listens everywhere"


async def test_it_stops_cleanly_and_leaves_nobody_behind(desk: WholeDesk) -> None:
    pids = list(desk.children().values())
    assert len(pids) == 4
    assert await desk.stop() == 0
    assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []
