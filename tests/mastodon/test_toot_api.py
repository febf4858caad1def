"""The fake itself: it takes who has the token, and counts, pages and fails as it is told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from channels.mastodon.api import Api
from channels.mastodon.settings import check
from channels.monitor.faults import AskedToWait, Forbidden, NeverLeft, NotTaken, Unauthorized, Unclear
from tests.fakes.desk import PUBLIC_URL
from tests.mastodon.mastodon_api import ACCOUNT, TOKEN, MastodonApi
from tests.monitor.harness import Time
from tests.monitor.network import Fault


def client_of(url: str, token: str = TOKEN) -> Api:
    return Api(check({"base_url": url, "access_token": token, "request_seconds": 0.3}, PUBLIC_URL))


@pytest.fixture
def client(api: MastodonApi) -> Iterator[Api]:
    built = client_of(api.url)
    yield built
    api.released.set()
    built.close()


async def test_who_has_the_token_is_heard_and_nobody_else(client: Api, api: MastodonApi) -> None:
    assert (await client.account()).body == ACCOUNT
    other = client_of(api.url, "another-token")
    for call in (other.account(), other.reply("hello", api.say("hi"), "public", "en", "key")):
        with pytest.raises(Unauthorized):
            await call
    assert api.posted == []
    other.close()


async def test_nothing_is_asked_by_the_way(client: Api, api: MastodonApi) -> None:
    await client.tagged("help", None)
    await client.search('"help"', "9")
    await client.notices(None)
    assert [call.endpoint for call in api.calls] == ["hashtags", "search", "mentions"]


async def test_pages_go_back_from_the_newest(client: Api, api: MastodonApi) -> None:
    posted = [api.say(f"#help {number}", ago=1000 - number) for number in range(60)]
    first = (await client.tagged("help", None)).body
    assert [post["id"] for post in first] == posted[:19:-1]
    second = (await client.tagged("help", first[-1]["id"])).body
    assert [post["id"] for post in second] == posted[19::-1]
    assert (await client.tagged("help", second[-1]["id"])).body == []


async def test_quotas_are_counted_and_renewed(client: Api, api: MastodonApi, time: Time) -> None:
    api.quotas["account"] = 2
    quotas = [(await client.account()).quota for _ in range(2)]
    assert [(quota.left, quota.seconds) for quota in quotas] == [(1, 300.0), (0, 300.0)]
    await time.skip(100)
    with pytest.raises(AskedToWait) as wait:
        await client.account()
    assert (wait.value.seconds, api.over_quota) == (200.0, 1)
    await time.skip(200)
    assert (await client.account()).quota.left == 1


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        (Fault(code=429), None),
        (Fault(code=429, reset_in=-5), None),
        (Fault(code=429, reset_in=86_400), 86_400.0),
        (Fault(code=429, after="7"), 7.0),
        (Fault(code=429, after="Sun, 22 Nov 2026 09:17:10 GMT"), 30.0),
        (Fault(code=429, after="soon"), None),
    ],
    ids=str,
)
async def test_how_long_to_wait(client: Api, api: MastodonApi, fault: Fault, seconds: float | None) -> None:
    api.fail_next["account"] = [fault]
    with pytest.raises(AskedToWait) as wait:
        await client.account()
    assert wait.value.seconds == seconds


@pytest.mark.parametrize("fault", [Fault(code=500), Fault(hang=True), Fault(truncated=True), Fault(text=b"{")], ids=str)
async def test_it_fails_as_told_and_once(client: Api, api: MastodonApi, fault: Fault) -> None:
    api.fail_next["account"] = [fault]
    with pytest.raises(Unclear):
        await client.account()
    assert (await client.account()).body["id"] == "4242"


async def test_a_reply_is_a_post_of_ours_and_one_for_each_key(client: Api, api: MastodonApi) -> None:
    said = api.say("@DemoExchange hi")
    first = (await client.reply("hello", said, "unlisted", "en", "key")).body["id"]
    assert api.posts[int(first)]["account"]["id"] == "4242"
    assert (await client.reply("hello", said, "unlisted", "en", "key")).body["id"] == first
    assert len(api.posted) == 1
    with pytest.raises(Forbidden):
        await client.reply("hello", "12", "unlisted", "en", "another")
    with pytest.raises(NotTaken):
        await client.reply("a" * 501, said, "unlisted", "en", "third")


async def test_nobody_there_is_told_from_silence() -> None:
    client = client_of("http://127.0.0.1:9")
    with pytest.raises(NeverLeft):
        await client.account()
    client.close()
