"""The fake itself: it takes what is signed rightly and counts, pages and fails as it is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from channels.monitor.faults import AskedToWait, Forbidden, NotTaken, Unauthorized, Unclear
from channels.twitter.api import Api
from channels.twitter.settings import check
from tests.fakes.desk import PUBLIC_URL
from tests.monitor.harness import Time
from tests.monitor.network import Fault
from tests.twitter.x_api import CREDENTIALS, XApi


def client_of(api: XApi, **changes: Any) -> Api:
    return Api(check({**CREDENTIALS, "api_url": api.url, "request_seconds": 0.3, **changes}, PUBLIC_URL))


@pytest.fixture
def client(api: XApi) -> Iterator[Api]:
    built = client_of(api)
    yield built
    api.released.set()
    built.close()


async def test_who_signs_rightly_is_heard(client: Api) -> None:
    assert (await client.account()).body["data"]["username"] == "DemoExchange"
    assert (await client.search('(@a OR "中文 b+c&d=e~*") -is:retweet', 1 << 61, None)).body["meta"][
        "result_count"
    ] == 0


@pytest.mark.parametrize("name", list(CREDENTIALS))
async def test_who_signs_wrongly_is_not(api: XApi, name: str) -> None:
    other = client_of(api, **{name: "4242-AnotherWordThanTheRightOne"})
    for call in (other.account(), other.reply("hello", api.say("@DemoExchange hi"))):
        with pytest.raises(Unauthorized):
            await call
    assert api.posted == []
    other.close()


async def test_no_signature_none_twice_none_for_another_address(api: XApi) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        assert (await http.get(f"{api.url}/2/users/me")).status_code == 401
        assert (await http.get(f"{api.url}/2/users/me", headers={"Authorization": "Bearer x"})).status_code == 401
        header = _signed("https://api.twitter.com/2/users/me")
        answers = [await http.get(f"{api.url}/2/users/me", headers={"Authorization": header}) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 401]
        header = _signed(f"{api.url}/2/users/me")
        assert (await http.get(f"{api.url}/2/users/me", headers={"Authorization": header})).status_code == 401
        header = _signed("https://api.twitter.com/2/users/me?a=1")
        answer = await http.get(f"{api.url}/2/users/me?a=2", headers={"Authorization": header})
        assert answer.status_code == 401


async def test_pages_go_back_from_the_newest(client: Api, api: XApi) -> None:
    posted = [api.say(f"@DemoExchange {number}", ago=1000 - number) for number in range(130)]
    since = int(posted[9])
    first = (await client.mentions(since, None)).body
    assert [post["id"] for post in first["data"]] == posted[:29:-1]
    second = (await client.mentions(since, first["meta"]["next_token"])).body
    assert [post["id"] for post in second["data"]] == posted[29:9:-1]
    assert "next_token" not in second["meta"]


async def test_mentions_end_after_800_and_a_search_after_seven_days(client: Api, api: XApi, time: Time) -> None:
    for number in range(850):
        api.say("@DemoExchange", ago=900 - number)
    seen, token = 0, None
    while True:
        body = (await client.mentions(1, token)).body
        seen, token = seen + body["meta"]["result_count"], body["meta"].get("next_token")
        if token is None:
            break
    assert seen == 800
    with pytest.raises(NotTaken):
        await client.search("(@DemoExchange)", 1, None)


async def test_quotas_are_counted_and_renewed(client: Api, api: XApi, time: Time) -> None:
    api.quotas["account"] = 2
    quotas = [(await client.account()).quota for _ in range(2)]
    assert [(quota.left, quota.seconds) for quota in quotas] == [(1, 900.0), (0, 900.0)]
    await time.skip(100)
    with pytest.raises(AskedToWait) as wait:
        await client.account()
    assert wait.value.seconds == 800.0
    assert api.over_quota == 1
    await time.skip(800)
    assert (await client.account()).quota.left == 1


async def test_a_reset_in_the_past_or_none_names_no_time(client: Api, api: XApi) -> None:
    for fault, expected in ((Fault(code=429), None), (Fault(code=429, reset_in=-5), None)):
        api.fail_next["account"] = [fault]
        with pytest.raises(AskedToWait) as wait:
            await client.account()
        assert wait.value.seconds is expected
    api.fail_next["account"] = [Fault(code=429, reset_in=timedelta(days=3).total_seconds())]
    with pytest.raises(AskedToWait) as wait:
        await client.account()
    assert wait.value.seconds == 259_200.0


@pytest.mark.parametrize("fault", [Fault(code=500), Fault(hang=True), Fault(truncated=True), Fault(text=b"{")], ids=str)
async def test_it_fails_as_told_and_once(client: Api, api: XApi, fault: Fault) -> None:
    api.fail_next["account"] = [fault]
    with pytest.raises(Unclear):
        await client.account()
    assert (await client.account()).body["data"]["id"] == "4242"


async def test_a_reply_is_a_post_of_ours(client: Api, api: XApi) -> None:
    said = api.say("@DemoExchange hi")
    reply = (await client.reply("hello", said)).body["data"]["id"]
    assert api.posts[int(reply)]["author_id"] == "4242"
    with pytest.raises(Forbidden):
        await client.reply("hello", "12")


def _signed(url: str) -> str:
    from oauthlib.oauth1 import Client  # type: ignore[import-untyped]

    words = [CREDENTIALS[name] for name in ("consumer_key", "consumer_secret", "access_token", "access_token_secret")]
    _, headers, _ = Client(*words).sign(url)
    return str(headers["Authorization"])
