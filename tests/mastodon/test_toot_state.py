"""Refusals and silence are shown, and never lead to more calls than the server allows."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from tests.mastodon.conftest import Start
from tests.mastodon.harness import texts
from tests.mastodon.mastodon_api import ACCOUNT, MastodonApi
from tests.monitor.harness import Desk, Time
from tests.monitor.network import Fault

HOUR = 3600.0


@pytest.mark.parametrize("fault", [Fault(code=429), Fault(code=429, reset_in=-9), Fault(code=500)], ids=str)
async def test_after_three_failures_at_most_one_call_a_minute(
    start: Start, api: MastodonApi, time: Time, fault: Fault
) -> None:
    for endpoint in ("mentions", "hashtags"):
        api.fail_next[endpoint] = [fault] * 1000
    channel = await start(hashtags=["help"])
    await time.run(HOUR)
    slow = sorted(call.at for call in [*api.called("mentions")[2:], *api.called("hashtags")[2:]])
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(slow[1:])]
    assert len(gaps) > 3
    assert min(gaps) >= 59.9
    assert "Mastodon: hashtags down since 2026-11-22 09:16 UTC" in (channel.trouble() or "")
    assert channel.deaf() is None


async def test_a_reset_that_lies_far_off_is_not_waited_for(
    start: Start, api: MastodonApi, desk: Desk, time: Time
) -> None:
    api.say("@DemoExchange hello", ago=30)
    api.fail_next["mentions"] = [Fault(code=429, reset_in=30 * 86_400)]
    channel = await start()
    told = channel.trouble() or ""
    assert "Mastodon: the quota of mentions is used up (0 requests left), new at 2026-11-22 09:31 UTC" in told
    await time.run(899)
    assert not desk.stored
    await time.run(2)
    assert texts(desk) == ["@DemoExchange hello"]
    assert channel.trouble() is None


async def test_a_used_up_quota_is_waited_for_without_being_told_off(start: Start, api: MastodonApi, time: Time) -> None:
    api.quotas["mentions"] = 3
    channel = await start(poll_seconds=10)
    await time.run(HOUR)
    assert 9 <= len(api.called("mentions")) <= 3 * 13
    assert channel.figures().refused["quota_mentions"] >= 3
    assert api.over_quota == 0


async def test_refused_credentials_make_it_deaf_until_they_are_good(
    start: Start, api: MastodonApi, desk: Desk, time: Time
) -> None:
    api.revoked = True
    api.say("@DemoExchange hello", ago=30)
    channel = await start()
    assert "Mastodon refuses our credentials; check access_token" in (channel.deaf() or "")
    assert (channel.figures().connections, channel.door()) == (0, "")
    api.revoked = False
    await time.run(HOUR)
    assert (channel.deaf(), channel.door()) == (None, ACCOUNT["url"])
    assert texts(desk) == ["@DemoExchange hello"]
    api.revoked = True
    await time.run(100)
    assert channel.deaf() is not None


async def test_one_feed_down_does_not_hold_up_the_other(start: Start, api: MastodonApi, desk: Desk, time: Time) -> None:
    api.fail_next["hashtags"] = [Fault(code=403)] * 1000
    channel = await start(hashtags=["help"])
    await time.run(600)
    api.say("@DemoExchange hello")
    await time.run(100)
    assert texts(desk) == ["@DemoExchange hello"]
    assert "hashtags down since" in (channel.trouble() or "")
    assert "mentions" not in (channel.trouble() or "")
    api.fail_next["hashtags"].clear()
    await time.run(1000)
    assert channel.trouble() is None


async def test_nobody_there_is_no_end(start: Start, time: Time) -> None:
    channel = await start(base_url="http://127.0.0.1:9")
    await time.run(600)
    assert "Mastodon: account down since" in (channel.trouble() or "")
    assert "no connection" in (channel.trouble() or "")


async def test_a_damaged_state_file_is_put_aside(start: Start, api: MastodonApi, desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "mastodon").mkdir()
    (tmp_path / "mastodon" / "feeds.json").write_text("{")
    api.say("@DemoExchange hello", ago=30)
    channel = await start()
    assert texts(desk) == ["@DemoExchange hello"]
    assert "Mastodon: the file that says how far was read was damaged" in (channel.trouble() or "")
