"""The fake itself: it takes who has the app password, and counts, pages and fails as it is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from channels.bluesky.api import Api
from channels.bluesky.settings import check
from channels.monitor.faults import AskedToWait, Forbidden, NeverLeft, NotTaken, Unauthorized, Unclear
from channels.monitor.faults import Fault as Refusal
from tests.bluesky.pds_api import DID, HANDLE, PASSWORD, Pds
from tests.fakes.desk import PUBLIC_URL
from tests.monitor.harness import Time
from tests.monitor.network import Fault


def client_of(url: str, password: str = PASSWORD) -> Api:
    section = {"service": url, "handle": HANDLE, "app_password": password, "request_seconds": 1.5}
    return Api(check(section, PUBLIC_URL))


@pytest.fixture
def client(pds: Pds) -> Iterator[Api]:
    built = client_of(pds.url)
    yield built
    pds.released.set()
    built.close()


def record(uri: str, text: str = "hello") -> dict[str, Any]:
    reference = {"uri": uri, "cid": "bafyrei00000000000000000001"}
    reply = {"root": reference, "parent": reference}
    return {
        "$type": "app.bsky.feed.post",
        "text": text,
        "createdAt": "2026-11-22T09:00:00.000Z",
        "langs": ["en"],
        "facets": [],
        "reply": reply,
    }


async def test_who_has_the_password_is_heard_and_nobody_else(client: Api, pds: Pds) -> None:
    assert (await client.account()).body["did"] == DID
    other = client_of(pds.url, "aaaa-bbbb-cccc-dddd")
    for call in (other.account(), other.reply(record(pds.say("hi")))):
        with pytest.raises(Unauthorized):
            await call
    assert pds.posted == []
    assert [call.endpoint for call in pds.calls] == ["login", "account", "login", "login"]


async def test_one_session_serves_all_calls_and_is_renewed(client: Api, pds: Pds) -> None:
    pds.token_seconds = 60  # the library renews a quarter of an hour before the end
    for _ in range(3):
        await client.account()
    assert [call.endpoint for call in pds.calls] == [
        "login",
        "renew",
        "account",
        "renew",
        "account",
        "renew",
        "account",
    ]


async def test_a_session_that_the_server_forgot_is_made_anew(client: Api, pds: Pds) -> None:
    uri = pds.say("hi")
    await client.account()
    pds.end_sessions()
    await client.reply(record(uri))
    assert [call.endpoint for call in pds.calls] == ["login", "account", "post", "login", "post"]
    assert len(pds.posted) == 1


async def test_pages_go_back_from_the_newest(client: Api, pds: Pds, time: Time) -> None:
    posted = [pds.say(f"#help {number}", ago=1000 - number) for number in range(130)]
    since = time.wall() - timedelta(hours=1)
    first = (await client.search("#help", since, None)).body
    assert [post["uri"] for post in first["posts"]] == posted[:29:-1]
    second = (await client.search("#help", since, first["cursor"])).body
    assert [post["uri"] for post in second["posts"]] == posted[29::-1]
    assert "cursor" not in second


async def test_quotas_are_counted_and_renewed(client: Api, pds: Pds, time: Time) -> None:
    pds.quotas["account"] = 2
    quotas = [(await client.account()).quota for _ in range(2)]
    assert [(quota.left, quota.seconds) for quota in quotas] == [(1, 300.0), (0, 300.0)]
    await time.skip(100)
    with pytest.raises(AskedToWait) as wait:
        await client.account()
    assert (wait.value.seconds, pds.over_quota) == (200.0, 1)
    await time.skip(200)
    assert (await client.account()).quota.left == 1


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        (Fault(code=429), None),
        (Fault(code=429, reset_in=-5), None),
        (Fault(code=429, reset_in=86_400), 86_400.0),
        (Fault(code=429, after="7"), 7.0),
    ],
    ids=str,
)
@pytest.mark.parametrize("endpoint", ["login", "account"])
async def test_how_long_to_wait(client: Api, pds: Pds, endpoint: str, fault: Fault, seconds: float | None) -> None:
    pds.fail_next[endpoint] = [fault]
    with pytest.raises(AskedToWait) as wait:
        await client.account()
    assert wait.value.seconds == seconds


@pytest.mark.parametrize(
    "fault",
    [Fault(code=500), Fault(code=302), Fault(hang=True), Fault(truncated=True), Fault(text=b"{"), Fault(text=b"[]")],
    ids=str,
)
async def test_it_fails_as_told_and_once(client: Api, pds: Pds, fault: Fault) -> None:
    pds.fail_next["account"] = [fault]
    with pytest.raises(Unclear):
        await client.account()
    assert (await client.account()).body["handle"] == HANDLE


@pytest.mark.parametrize(("code", "meant"), [(400, NotTaken), (403, Forbidden), (404, Forbidden), (413, NotTaken)])
async def test_refusals_are_told_apart(client: Api, pds: Pds, code: int, meant: type[Refusal]) -> None:
    pds.fail_next["account"] = [Fault(code=code)]
    with pytest.raises(meant):
        await client.account()


@pytest.mark.parametrize("fault", [Fault(code=500), Fault(text=b"{}"), Fault(hang=True)], ids=str)
async def test_without_a_session_nothing_was_done(client: Api, pds: Pds, fault: Fault) -> None:
    pds.fail_next["login"] = [fault]
    with pytest.raises(NeverLeft):
        await client.reply(record(pds.say("hi")))
    assert pds.posted == []


async def test_nobody_there_is_told_from_silence() -> None:
    client = client_of("http://127.0.0.1:9")
    with pytest.raises(NeverLeft):
        await client.account()
    client.close()
