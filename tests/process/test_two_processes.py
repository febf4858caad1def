"""Two app processes on one PostgreSQL: what happens at one is seen at the other, and one may die."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from actions.commands import HandToPerson, OpenCase
from bot.demo.colleague import at_work
from tests.fakes.rasa import FakeRasa
from tests.fakes.web import serving
from tests.process.desk import ADMIN_PASSWORD, DeskProcess
from tests.process.people import Chatter

pytestmark = pytest.mark.timeout(300)
COMPLAINT = (OpenCase(label="withdrawal_issue"), HandToPerson(reasons=("money_missing",)))


@pytest.fixture
async def desks(postgres: Callable[[], str], tmp_path: Path) -> AsyncIterator[tuple[DeskProcess, DeskProcess]]:
    database = postgres()
    async with serving(FakeRasa(lambda _body: COMPLAINT).app) as rasa:
        data = {"DATA_DIR": str(tmp_path / "data"), "WORK__SCAN_SECONDS": "20", "WORK__LEASE_SECONDS": "3"}
        pair = tuple(DeskProcess(tmp_path / name, database, rasa, **data) for name in ("one", "two"))
        first, second = pair
        await asyncio.gather(first.start(), second.start())  # both migrate, make the key, claim the database
        yield first, second
        await asyncio.gather(first.stop(), second.stop())


async def test_an_agent_at_one_process_talks_with_a_user_at_the_other(desks: tuple[DeskProcess, DeskProcess]) -> None:
    """The scan is slow here, so that only a wake-up between the processes can bring the reply in time."""
    first, second = desks
    chatter = Chatter(first)
    await chatter.say("提现五天没到账")
    await chatter.wait_for(2)
    async with at_work(second.url, "admin", "Anna", ADMIN_PASSWORD, lambda *_said: None) as anna:
        await anna.take_over(1)
        await anna.reply(1, "我在查。")
        said = await chatter.wait_for(4, seconds=15)
    assert said[-1] == "我在查。"
    assert chatter.shown_twice == 0


async def test_when_one_process_dies_the_other_goes_on(desks: tuple[DeskProcess, DeskProcess]) -> None:
    first, second = desks
    chatter = Chatter(first)
    await chatter.say("hello")
    before = await chatter.wait_for(2)
    await first.kill()
    chatter.desk = second
    await chatter.say("are you there?")
    assert chatter.heard()[: len(before)] == before
    assert chatter.shown_twice == 0
    async with httpx.AsyncClient(trust_env=False) as http:
        assert (await http.get(f"{second.url}/readyz")).status_code == 200


async def test_a_desk_with_another_data_folder_is_refused(
    desks: tuple[DeskProcess, DeskProcess], tmp_path: Path
) -> None:
    stranger = DeskProcess(tmp_path / "three", desks[0].env["REDRESS_DATABASE_URL"], "http://127.0.0.1:9")
    code, said = await stranger.redress("serve")
    assert code == 2
    assert "belongs to another data folder" in said
