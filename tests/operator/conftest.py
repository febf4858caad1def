"""Empty databases, and an operator's command on a data folder of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from bot.cli import main
from bot.clock import now
from bot.files import Files
from bot.inbox import Inbox
from bot.keys import root_secret
from bot.store.migrate import migrate
from bot.store.store import Store
from channels.contract import InboundMessage
from tests.fakes.rasa import FakeRasa
from tests.fakes.web import serving
from tests.operator.commands import propose

LARGE = 100_000
"""Bytes of a raw message that does not fit into its row."""


@dataclass
class Place:
    """A data folder and a database, worked on by the operator's command in this process."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    database_url: str = ""
    pg_bin: str = ""

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data / 'redress.db'}"

    def redress(self, *arguments: str) -> tuple[int, str]:
        """Exit code and everything it said."""
        with self.monkeypatch.context() as patch:
            patch.setenv("REDRESS_DATA_DIR", str(self.data))
            patch.setenv("REDRESS_DATABASE_URL", self.database_url)
            patch.setenv("REDRESS_PG_BIN", self.pg_bin)
            code = main(arguments)
        said = self.capsys.readouterr()
        return code, said.out + said.err

    def refused(self, *arguments: str) -> str:
        code, said = self.redress(*arguments)
        assert code == 1, said
        return said

    def fill(self, messages: int) -> None:
        """Received messages with files of their own, and the instance's key."""
        self.data.mkdir(parents=True)
        root_secret(self.data)
        migrate(self.database)
        with closing(Store(self.database)) as store:
            inbox = Inbox(store, Files(self.data / "raw"), now, timedelta(seconds=15), lambda _claim: None)
            asyncio.run(self._receive(inbox, messages))

    async def _receive(self, inbox: Inbox, count: int) -> None:
        for number in range(count):
            raw = f"投诉 {number} ".encode() + b"x" * LARGE
            await inbox.accept(
                InboundMessage(
                    channel="fake",
                    external_id=str(number),
                    conversation_key=str(number),
                    sender="li@user.example",
                    raw=raw,
                    received_at=now(),
                )
            )

    def files(self) -> list[Path]:
        return sorted(path for path in (self.data / "raw").rglob("*") if path.is_file())


Places = Callable[[str], Place]


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Places:
    return lambda name: Place(tmp_path / name, monkeypatch, capsys)


@pytest.fixture
def first(places: Places) -> Place:
    place = places("first")
    place.fill(3)
    return place


@pytest.fixture
def backup(first: Place, tmp_path: Path) -> Path:
    code, said = first.redress("backup", str(tmp_path / "backup"))
    assert code == 0, said
    return tmp_path / "backup"


@pytest.fixture
async def rasa_url() -> AsyncIterator[str]:
    async with serving(FakeRasa(propose).app) as url:
        yield url


def emptied(url: str) -> str:
    """The same PostgreSQL database without its tables."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return url


@pytest.fixture
def empty_database(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> str:
    """A database with nothing in it, of the same kind as `database_url`."""
    if database_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path / 'empty' / 'redress.db'}"
    make: Callable[[], str] = request.getfixturevalue("postgres")
    return emptied(make())
