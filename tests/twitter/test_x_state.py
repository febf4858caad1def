"""Refusals and silence are shown, and never lead to more calls than X allows."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.fakes.desk import FakeDesk
from tests.monitor.harness import Time
from tests.monitor.network import Fault
from tests.twitter.conftest import Start
from tests.twitter.harness import texts
from tests.twitter.x_api import XApi

HOUR = 3600.0


@pytest.mark.parametrize(
    "fault",
    [Fault(code=429), Fault(code=429, reset_in=-3600), Fault(code=429, reset_in=1), Fault(code=500), Fault(code=403)],
    ids=str,
)
async def test_after_three_failures_at_most_one_call_a_minute(
    start: Start, api: XApi, time: Time, fault: Fault
) -> None:
    for endpoint in ("mentions", "search"):
        api.fail_next[endpoint] = [fault] * 1000
    channel = await start()
    await time.run(HOUR)
    slow = [call.at for call in [*api.called("mentions")[2:], *api.called("search")[2:]]]
    slow.sort()
    assert len(slow) > 4
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(slow[1:])]
    assert min(gaps) >= 59.9
    assert "X: search down since 2026-11-22 09:16 UTC" in (channel.trouble() or "")
    assert channel.deaf() is None


async def test_a_reset_that_lies_far_off_is_not_waited_for(start: Start, api: XApi, desk: FakeDesk, time: Time) -> None:
    api.say("@DemoExchange hello", ago=30)
    far = Fault(code=429, reset_in=30 * 86_400)
    api.fail_next |= {"mentions": [far], "search": [far]}
    channel = await start()
    assert "the quota of search is used up (0 requests left), new at 2026-11-22 09:31 UTC" in (channel.trouble() or "")
    await time.run(899)
    assert not desk.stored
    await time.run(2)
    assert texts(desk) == ["@DemoExchange hello"]
    assert channel.trouble() is None


async def test_a_used_up_quota_is_waited_for_without_being_told_off(start: Start, api: XApi, time: Time) -> None:
    api.quotas |= {"mentions": 3, "search": 3}
    channel = await start(poll_seconds=10)
    await time.run(HOUR)
    assert len(api.called("search")) <= 3 * 5
    assert len(api.called("search")) >= 3 * 3
    assert channel.figures().refused["quota_search"] >= 3
    assert api.over_quota == 0
    assert "down" not in (channel.trouble() or "")


async def test_refused_credentials_make_it_deaf_until_they_are_good(
    start: Start, api: XApi, desk: FakeDesk, time: Time
) -> None:
    api.revoked = True
    api.say("@DemoExchange hello", ago=30)
    channel = await start()
    assert "refuses our credentials" in (channel.deaf() or "")
    assert channel.figures().connections == 0
    assert channel.door() == ""
    api.revoked = False
    await time.run(HOUR)
    assert channel.deaf() is None
    assert channel.door() == "https://x.com/DemoExchange"
    assert texts(desk) == ["@DemoExchange hello"]


async def test_credentials_withdrawn_later_are_noticed(start: Start, api: XApi, time: Time) -> None:
    channel = await start()
    assert channel.deaf() is None
    api.revoked = True
    await time.run(100)
    assert channel.deaf() is not None


async def test_one_feed_down_does_not_hold_up_the_other(start: Start, api: XApi, desk: FakeDesk, time: Time) -> None:
    api.fail_next["search"] = [Fault(code=403)] * 1000
    channel = await start()
    await time.run(600)
    api.say("@DemoExchange hello")
    await time.run(100)
    assert texts(desk) == ["@DemoExchange hello"]
    assert "X: search down since" in (channel.trouble() or "")
    assert "mentions" not in (channel.trouble() or "")
    api.fail_next["search"].clear()
    await time.run(1000)
    assert channel.trouble() is None


async def test_nobody_there_is_no_end(start: Start, time: Time, api: XApi) -> None:
    channel = await start(api_url="http://127.0.0.1:9")
    await time.run(600)
    assert "X: account down since" in (channel.trouble() or "")
    assert "no connection" in (channel.trouble() or "")
    assert api.calls == []
