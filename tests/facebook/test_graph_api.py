"""The fake itself: what it refuses, and how it fails when told to."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import httpx
import pytest

from tests.facebook.graph_api import CREDENTIALS, PAGE, VERSION, Fault, GraphApi, signed
from tests.monitor.harness import Time


def proof(token: str) -> str:
    return hmac.new(CREDENTIALS["app_secret"].encode(), token.encode(), sha256).hexdigest()


@pytest.fixture
async def http(api: GraphApi) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        base_url=f"{api.url}/{VERSION}/",
        headers={"Authorization": f"Bearer {api.token}"},
        params={"appsecret_proof": proof(api.token)},
        trust_env=False,
        timeout=0.5,
    ) as client:
        yield client


def message(text: str = "hi", person: str = "77", **more: Any) -> dict[str, Any]:
    return {"recipient": {"id": person}, "messaging_type": "RESPONSE", "message": {"text": text}, **more}


async def test_it_wants_the_token_and_its_proof(api: GraphApi, http: httpx.AsyncClient) -> None:
    assert (await http.get("me")).json()["id"] == PAGE
    for wrong, code in (({"headers": {"Authorization": "Bearer x"}}, 190), ({"params": {"appsecret_proof": "0"}}, 100)):
        answer = await http.get("me", **wrong)  # type: ignore[arg-type]
        assert (answer.status_code >= 400, answer.json()["error"]["code"]) == (True, code)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (message(person="99"), 100),
        (message("x" * 2001), 100),
        (message(" "), 100),
        (message(messaging_type="MESSAGE_TAG", tag="HUMAN_AGENT"), 10),
        ({**message(), "messaging_type": None}, 10),
        (message(message={"text": "hi", "quick_replies": [{"title": "x" * 21, "payload": ""}]}), 100),
    ],
)
async def test_it_refuses_what_messenger_refuses(
    api: GraphApi, http: httpx.AsyncClient, content: dict[str, Any], code: int
) -> None:
    api.message("hello")
    answer = await http.post("me/messages", json=content)
    assert (answer.status_code, answer.json()["error"]["code"], api.sent) == (400, code, [])


async def test_it_keeps_the_window(api: GraphApi, http: httpx.AsyncClient, time: Time) -> None:
    api.message("hello")
    assert (await http.post("me/messages", json=message())).status_code == 200
    await time.skip(24 * 3600 + 1)
    assert (await http.post("me/messages", json=message())).json()["error"]["error_subcode"] == 2018278
    api.human_agent = True
    tagged = message(messaging_type="MESSAGE_TAG", tag="HUMAN_AGENT")
    assert (await http.post("me/messages", json=tagged)).status_code == 200


async def test_its_faults(api: GraphApi, http: httpx.AsyncClient) -> None:
    api.message("hello")
    api.fail_next["send"] = [Fault(code=32), Fault(status=502), Fault(truncated=True), Fault(hang=True, done=True)]
    assert (await http.post("me/messages", json=message())).json()["error"]["code"] == 32
    assert (await http.post("me/messages", json=message())).status_code == 502
    with pytest.raises(httpx.RemoteProtocolError):
        await http.post("me/messages", json=message())
    with pytest.raises(httpx.ReadTimeout):
        await http.post("me/messages", json=message())
    assert len(api.sent) == 1


async def test_it_gives_out_twenty_messages_and_pages_of_the_rest(api: GraphApi, http: httpx.AsyncClient) -> None:
    for number in range(25):
        api.message(str(number), ago=100 - number)
    api.message("another", "78", ago=3600)
    first = (await http.get(f"{PAGE}/conversations", params={"limit": "1"})).json()
    [chat] = first["data"]
    assert [each["message"] for each in chat["messages"]["data"]] == [str(n) for n in range(24, 4, -1)]
    after = first["paging"]["cursors"]["after"]
    second = (await http.get(f"{PAGE}/conversations", params={"limit": "1", "after": after})).json()
    assert ([each["id"] for each in second["data"]], "next" in second["paging"]) == (["t_78"], False)


def test_its_signature_is_that_of_the_raw_body() -> None:
    """Computed with `openssl dgst -sha256 -hmac`."""
    right = "9a79ae4ede6aad798d0c9bb6dbaf8501b9568d01b10ff29d09e82f5e5c834182"
    assert signed(b'{"object": "page"}') == f"sha256={right}"
