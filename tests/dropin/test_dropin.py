"""A channel is added by dropping in one folder: a desk with a folder more takes messages by it and answers by it."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from bot import catalogue
from bot.store.migrate import migrate
from tests.dropin.peer import SECRET
from tests.fakes.rasa import FakeRasa
from tests.fakes.web import serving
from tests.process.desk import ROOT, DeskProcess, clean_environment, free_port

HERE = Path(__file__).parent
SECTION = '[channel.pager]\nport = {port}\nsecret = "{secret}"\n'
COPIED = ("channels", "tests")
"""The rest is linked: it is the same program."""
OF_THE_SUITE = ("conftest.py", "browser.py", "contract", "fakes")
JUNK = shutil.ignore_patterns("__pycache__")


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The program as it is, and one folder more in `channels/`, and that folder's peer in `tests/`."""
    folder = tmp_path / "program"
    folder.mkdir()
    for entry in ROOT.iterdir():
        if entry.name not in COPIED and not entry.name.startswith(".git"):
            (folder / entry.name).symlink_to(entry)
    shutil.copytree(ROOT / "channels", folder / "channels", ignore=JUNK)
    shutil.copytree(HERE / "pager", folder / "channels" / "pager", ignore=JUNK)
    (folder / "tests" / "pager").mkdir(parents=True)
    shutil.copy(HERE / "peer.py", folder / "tests" / "pager" / "peer.py")
    for name in OF_THE_SUITE:
        source = ROOT / "tests" / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, folder / "tests" / name)
    return folder


@asynccontextmanager
async def running(program: Path, folder: Path, section: str) -> AsyncIterator[DeskProcess]:
    url = f"sqlite:///{folder / 'redress.db'}"
    migrate(url)
    (folder / "redress.toml").write_text(section, encoding="utf-8")
    async with serving(FakeRasa().app) as rasa_url:
        desk = DeskProcess(folder, url, rasa_url, CONFIG=str(folder / "redress.toml"))
        desk.root = program
        await desk.start()
        try:
            yield desk
        finally:
            await desk.kill()


async def test_a_message_comes_in_and_its_answer_goes_out(program: Path, tmp_path: Path) -> None:
    port = free_port()
    async with running(program, tmp_path, SECTION.format(port=port, secret=SECRET)) as desk:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"HELLO 4711 {SECRET}\nPAGE 1 大家早上好\n".encode())
        async with asyncio.timeout(30):
            assert await reader.readline() == b"OK\n"
            said = (await reader.readline()).decode().removeprefix("SAY ")
        assert json.loads(said) == catalogue.whole().say("bot.greeting", "zh")
        writer.close()
        assert await desk.stop() == 0
    with closing(sqlite3.connect(tmp_path / "redress.db")) as database:
        assert database.execute("SELECT channel, key, last_seq FROM conversation").fetchall() == [("pager", "4711", 2)]
        assert database.execute("SELECT state FROM outbox").fetchall() == [("sent",)]


async def test_a_section_without_a_folder_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="pager, which does not exist; there are"):
        async with running(ROOT, tmp_path, SECTION.format(port=free_port(), secret=SECRET)):
            raise LookupError("it started")


async def suite(program: Path, *arguments: str) -> tuple[int, str]:
    """The contract suite of that program: exit code and what it said."""
    run = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "pytest", "-n0", "-q", "-p", "no:cacheprovider", *arguments),
        cwd=program,
        env=clean_environment() | {"PYTHONDONTWRITEBYTECODE": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await run.communicate()
    assert run.returncode is not None
    return run.returncode, said.decode()


async def test_the_contract_suite_picks_it_up(program: Path) -> None:
    code, said = await suite(program, "tests/contract", "-k", "pager and not postgresql")
    assert code == 0, said[-3000:]
    assert "skipped" not in said


async def test_without_its_peer_the_contract_suite_says_what_to_write(program: Path) -> None:
    (program / "tests" / "pager" / "peer.py").unlink()
    code, said = await suite(program, "tests/contract/test_checklists.py", "-k", "pager")
    assert code == 1
    assert "write tests/pager/peer.py with a subclass of tests.contract.peer.Peer" in said
