"""Other people's programs against the desk: collected by `make test-peers` alone, which installs what they need."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bench.postfix import postfix
from bench.processes import free_port
from bot.store.migrate import migrate
from tests.fakes.rasa import FakeRasa
from tests.fakes.web import serving
from tests.peers.mailboxes import BORDER, Mailboxes, postfix_settings
from tests.process.desk import NO_CAPS, DeskProcess

NEEDED = ("swaks", "s-nail", "mutt", "node")


@pytest.fixture(scope="session", autouse=True)
def tools() -> None:
    """Nothing is skipped here: a tool that is missing is a failure."""
    missing = [tool for tool in NEEDED if shutil.which(tool) is None]
    assert not missing, f"{', '.join(missing)} is missing: run `make test-peers`, which installs it"


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where Postfix's own users may look, too: no folder of pytest is such a place."""
    made = Path(tempfile.mkdtemp(prefix="redress-peers-"))
    (made / "work").mkdir()
    yield made / "work"
    shutil.rmtree(made, ignore_errors=True)


class Border:
    """A desk behind a Postfix: mail comes in through it, and answers leave through it into its users' mailboxes."""

    def __init__(self, desk: DeskProcess, port: int, folder: Path, mailboxes: Mailboxes) -> None:
        self.desk = desk
        self.port = port
        """Of Postfix."""
        self.configuration = folder / "postfix"
        self.mailboxes = mailboxes


@asynccontextmanager
async def bordered(folder: Path) -> AsyncIterator[Border]:
    """The desk is not started yet."""
    url = f"sqlite:///{folder / 'redress.db'}"
    migrate(url)
    mailboxes = Mailboxes(folder / "mailboxes")
    smtp_port = free_port()
    async with serving(FakeRasa().app) as rasa_url, postfix(folder, postfix_settings(smtp_port, mailboxes)) as port:
        relay = {"RELAY_HOST": "127.0.0.1", "RELAY_PORT": str(port), "RELAY_STARTTLS": "false"}
        trust = {"AUTHENTICATION": "trust", "TRUSTED_AUTHSERV_ID": BORDER}
        section = {f"CHANNEL__MAIL__{name}": value for name, value in {**relay, **trust}.items()}
        desk = DeskProcess(folder, url, rasa_url, **NO_CAPS, **section, SMTP_PORT=str(smtp_port))
        yield Border(desk, port, folder, mailboxes)
        await desk.kill()


@pytest.fixture
async def border(folder: Path) -> AsyncIterator[Border]:
    async with bordered(folder) as made:
        await made.desk.start()
        yield made


@pytest.fixture
async def closed_desk(folder: Path) -> AsyncIterator[Border]:
    """Postfix is up, the desk is not."""
    async with bordered(folder) as made:
        yield made
