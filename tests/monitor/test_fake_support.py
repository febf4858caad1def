"""The whole desk while somebody who is called like us answers our user in public."""

from __future__ import annotations

from html import escape
from pathlib import Path

import pytest

from actions.commands import HandToPerson, OpenCase
from tests.fakes.rasa import FakeRasa
from tests.fakes.web import serving
from tests.monitor.square import Network, network, watching

USER, LIAR, READER = 77, 88, 99
NETWORKS = ("twitter", "mastodon", "bluesky")
COMPLAINT = (
    OpenCase(label="withdrawal_issue", severity="high", reasons=("money_missing",)),
    HandToPerson(reasons=("money_missing",)),
)


def posted_below(net: Network) -> list[str]:
    return [posted["to"] for posted in net.api.posted]


@pytest.mark.parametrize("name", NETWORKS)
async def test_who_poses_as_us_is_flagged_where_the_user_is(name: str, tmp_path: Path, database_url: str) -> None:
    rasa = FakeRasa(lambda _body: COMPLAINT)
    async with network(name) as net, serving(rasa.app) as rasa_url:
        net.called(LIAR, "Dem0 Exchange Suppоrt", "dx-desk".replace("-", "" if name == "twitter" else "-"))
        complaint = net.say(f"{net.us} my withdrawal of 3 BTC is missing since Monday", USER, ago=40)
        lure = net.say(f"{net.us} kindly message our manager @dxmanager", LIAR, ago=30, answers=(USER, complaint))
        async with watching(net, tmp_path, database_url, rasa_url) as watch:
            await watch.until_accounted(USER, LIAR)
            await net.api.until(posted=1)
            assert (await watch.accounted(USER), await watch.accounted(LIAR)) == (["opened"], ["automatic"])
            for language, heading, reason in (
                ("en", "Fake support?", "our name and a word such as “support” in its name or handle"),
                ("zh", "疑似假冒客服", "名称或用户名中同时含有我们的名称和“客服”一类字样"),
            ):
                page = await watch.page_of(USER, language)
                assert heading in page
                assert reason in page
                assert "Dem0 Exchange Suppоrt" in page
                assert f'{lure.rpartition("/")[2]}" target' in page  # the link to the post
                assert heading in await watch.page("/console/?view=waiting", language)
            liar = await watch.conversation(LIAR)
            assert (liar.owner, liar.case_id, liar.resolved_at is None) == ("bot", None, False)
            assert f"/console/c/{liar.id}" in await watch.page_of(USER)
            assert escape("seems to pose as us") in await watch.page_of(LIAR)
            assert len(await watch.cases()) == 1
    assert posted_below(net) == [complaint]
    assert "manager" not in str(rasa.seen)


@pytest.mark.parametrize("name", NETWORKS)
async def test_a_newspaper_that_answers_no_user_is_none(name: str, tmp_path: Path, database_url: str) -> None:
    async with network(name) as net, serving(FakeRasa().app) as rasa_url:
        net.called(READER, "Demo Exchange Daily", "dxdaily")
        question = net.say(f"{net.us} when do you list ABC?", READER, ago=30)
        async with watching(net, tmp_path, database_url, rasa_url) as watch:
            await net.api.until(posted=1)
            assert await watch.accounted(READER) == ["answered"]
    assert posted_below(net) == [question]
