"""Refusals and silence are shown, and never lead to more calls than the server allows."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from tests.bluesky.conftest import Start
from tests.bluesky.harness import texts
from tests.bluesky.pds_api import HANDLE, Pds
from tests.monitor.harness import Desk, Time
from tests.monitor.network import Fault

HOUR = 3600.0


@pytest.mark.parametrize("fault", [Fault(code=429), Fault(code=429, reset_in=-9), Fault(code=500)], ids=str)
async def test_after_three_failures_at_most_one_call_a_minute(start: Start, pds: Pds, time: Time, fault: Fault) -> None:
    for endpoint in ("mentions", "search"):
        pds.fail_next[endpoint] = [fault] * 1000
    channel = await start(keywords=["help"])
    await time.run(HOUR)
    slow = sorted(call.at for call in [*pds.called("mentions")[2:], *pds.called("search")[2:]])
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(slow[1:])]
    assert len(gaps) > 3
    assert min(gaps) >= 59.9
    assert "Bluesky: search down since 2026-11-22 09:16 UTC" in (channel.trouble() or "")
    assert channel.deaf() is None


async def test_a_reset_that_lies_far_off_is_not_waited_for(start: Start, pds: Pds, desk: Desk, time: Time) -> None:
    pds.say("@demo.exchange.example hello", ago=30)
    pds.fail_next["mentions"] = [Fault(code=429, reset_in=30 * 86_400)]
    channel = await start()
    told = channel.trouble() or ""
    assert "Bluesky: the quota of mentions is used up (0 requests left), new at 2026-11-22 09:31 UTC" in told
    await time.run(899)
    assert not desk.stored
    await time.run(2)
    assert texts(desk) == ["@demo.exchange.example hello"]
    assert channel.trouble() is None


async def test_a_used_up_quota_is_waited_for_without_being_told_off(start: Start, pds: Pds, time: Time) -> None:
    pds.quotas["mentions"] = 3
    channel = await start(poll_seconds=10)
    await time.run(HOUR)
    assert 9 <= len(pds.called("mentions")) <= 3 * 13
    assert channel.figures().refused["quota_mentions"] >= 3
    assert pds.over_quota == 0


async def test_refused_credentials_make_it_deaf_until_they_are_good(
    start: Start, pds: Pds, desk: Desk, time: Time
) -> None:
    pds.revoked = True
    pds.say("@demo.exchange.example hello", ago=30)
    channel = await start()
    assert "Bluesky refuses our credentials; check handle and app_password" in (channel.deaf() or "")
    assert (channel.figures().connections, channel.door()) == (0, "")
    pds.revoked = False
    await time.run(HOUR)
    assert (channel.deaf(), channel.door()) == (None, f"https://bsky.app/profile/{HANDLE}")
    assert texts(desk) == ["@demo.exchange.example hello"]
    pds.revoked = True
    await time.run(100)
    assert channel.deaf() is not None


async def test_one_feed_down_does_not_hold_up_the_other(start: Start, pds: Pds, desk: Desk, time: Time) -> None:
    pds.fail_next["search"] = [Fault(code=403)] * 1000
    channel = await start(keywords=["help"])
    await time.run(600)
    pds.say("@demo.exchange.example hello")
    await time.run(100)
    assert texts(desk) == ["@demo.exchange.example hello"]
    assert "search down since" in (channel.trouble() or "")
    assert "mentions" not in (channel.trouble() or "")
    pds.fail_next["search"].clear()
    await time.run(1000)
    assert channel.trouble() is None


async def test_nobody_there_is_no_end(start: Start, time: Time) -> None:
    channel = await start(service="http://127.0.0.1:9")
    await time.run(600)
    assert "Bluesky: account down since" in (channel.trouble() or "")
    assert "no connection" in (channel.trouble() or "")


async def test_a_damaged_state_file_is_put_aside(start: Start, pds: Pds, desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "bluesky").mkdir()
    (tmp_path / "bluesky" / "feeds.json").write_text("{")
    pds.say("@demo.exchange.example hello", ago=30)
    channel = await start()
    assert texts(desk) == ["@demo.exchange.example hello"]
    assert "Bluesky: the file that says how far was read was damaged" in (channel.trouble() or "")
