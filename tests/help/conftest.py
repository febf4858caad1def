"""The help pages on a real port over a real database, with a few articles or with all of them."""

from __future__ import annotations

import shutil
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.applications import Starlette

from bot.store.migrate import migrate
from bot.store.store import Store
from bot.understanding.knowledge import Knowledge
from bot.understanding.knowledge.figures import read_figures
from bot.wording import load
from escalation.help import routes as help_pages
from escalation.help.routes import HelpDesk
from escalation.web import static
from escalation.web.errors import handlers
from escalation.web.pages import HERE as WEB
from escalation.web.pages import Pages
from tests.conftest import MovedClock
from tests.console.world import BRANDS, Visitor, served
from tests.understanding.nlu_data import ROOT

FOLDER = ROOT / "data" / "knowledge"
WORDS = load(WEB / "wording", help_pages.WORDING)


@dataclass
class Help:
    url: str
    store: Store
    knowledge: Knowledge

    def visitor(self) -> Visitor:
        return Visitor(self.url)


@pytest.fixture(scope="session")
def knowledge() -> Knowledge:
    return Knowledge.load(FOLDER, read_figures(FOLDER / "figures.toml"))


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "redress.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
async def pages(knowledge: Knowledge, empty_database: Path, tmp_path: Path, clock: MovedClock) -> AsyncIterator[Help]:
    shutil.copy(empty_database, tmp_path / "redress.db")
    store = Store(f"sqlite:///{tmp_path / 'redress.db'}")
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    desk = HelpDesk(store=store, clock=clock, words=WORDS, knowledge=knowledge, brands=BRANDS, public_url=url)
    application = Starlette(
        routes=[*help_pages.routes(desk), *static.routes()],
        exception_handlers=handlers(Pages(WORDS, clock, BRANDS)),
    )
    async with served(application, listener):
        yield Help(url, store, knowledge)
    store.close()
