"""The whole desk and posts that only hold a keyword: news and praise, complaints, and what may be one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from actions.commands import Command
from actions.decide import decide
from actions.turn import read_turn
from tests.fakes.rasa import FakeRasa
from tests.fakes.web import serving
from tests.monitor.square import network, watching

SHARES: Mapping[str, Mapping[str, float]] = {
    "lists": {"spam": 0.3, "out_of_scope": 0.2, "listing_delisting_network": 0.1},
    "love": {"not_a_complaint": 0.4, "withdrawal_issue": 0.1},
    "stuck": {"withdrawal_issue": 0.5, "not_a_complaint": 0.1},
    "nothing new": {"app_technical": 0.1, "not_a_complaint": 0.1},
}
"""What the classifier makes of posts with these words."""
PAPER, FAN, USER, STRANGER, KNOWN = 11, 12, 13, 14, 15


def understood(body: Mapping[str, Any]) -> Sequence[Command]:
    shares = next(found for words, found in SHARES.items() if words in body["text"])
    ranking = [{"name": name, "confidence": share} for name, share in shares.items()]
    message = {"text": body["text"], "intent": ranking[0], "intent_ranking": ranking, "metadata": body["metadata"]}
    return decide("action_matter", read_turn(message, {})).commands


@pytest.mark.parametrize("name", ["twitter", "mastodon", "bluesky"])
async def test_a_keyword_makes_no_complaint(name: str, tmp_path: Path, database_url: str) -> None:
    async with network(name) as net, serving(FakeRasa(understood).app) as rasa_url:
        net.say("Demo Exchange lists ABC today", PAPER, ago=60)
        net.say("I love Demo Exchange, withdrawals in seconds", FAN, ago=50)
        net.say("Demo Exchange: my withdrawal is stuck since Monday", USER, ago=40)
        net.say("Demo Exchange, nothing new", STRANGER, ago=30)
        addressed = net.say(f"{net.us} my withdrawal is stuck", KNOWN, ago=20)
        async with watching(net, tmp_path, database_url, rasa_url, keywords=["demo exchange"]) as watch:
            await net.api.until(posted=1)
            await watch.until_accounted(PAPER, FAN, USER, STRANGER, KNOWN)
            [before] = await watch.accounted(KNOWN)
            net.say("Demo Exchange, still nothing new", KNOWN, ago=0)

            async def twice() -> bool:
                found = await watch.accounted(KNOWN)
                return len(found) == 2 and None not in found

            await watch.until(twice)
            for author in (PAPER, FAN):
                found = await watch.conversation(author)
                assert await watch.accounted(author) == ["automatic"]
                assert (found.owner, found.case_id, found.resolved_at is None) == ("bot", None, False)
                assert "Set aside by the machine" in await watch.page_of(author)
                assert "系统已自动搁置" in await watch.page_of(author, "zh")
                for view in ("waiting", "open"):
                    assert f'/console/c/{found.id}"' not in await watch.page(f"/console/?view={view}")
            user, stranger, known = [await watch.conversation(author) for author in (USER, STRANGER, KNOWN)]
            assert (await watch.accounted(USER), user.owner) == (["opened"], "queue")
            assert (await watch.accounted(STRANGER), stranger.owner, stranger.case_id) == (["joined"], "queue", None)
            assert (before, (await watch.accounted(KNOWN))[1], known.owner) == ("answered", "opened", "queue")
            assert {user.case_id, known.case_id}.isdisjoint({None})
    assert [posted["to"] for posted in net.api.posted] == [addressed]
