"""The webhook: only Facebook can sign, 200 means stored, and one bad entry does not hold back the good ones."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from channels.contract import Kind
from channels.facebook.channel import FacebookChannel
from channels.faults import NotStored
from tests.facebook.graph_api import PAGE, GraphApi, signed
from tests.monitor.harness import Desk

type Start = Callable[..., Awaitable[FacebookChannel]]


async def test_the_set_up_is_confirmed_to_who_knows_the_word(api: GraphApi, served: FacebookChannel) -> None:
    answer = await api.verify()
    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("token", ["", "wrong", "a-word-of-our-own-choic", "ü"])
async def test_a_wrong_word_is_refused(api: GraphApi, served: FacebookChannel, token: str) -> None:
    assert (await api.verify(token)).status_code == 403
    assert served.figures().refused == {"wrong_verify_token": 1}


async def test_nothing_but_a_challenge_is_repeated(api: GraphApi, served: FacebookChannel) -> None:
    assert (await api.verify(challenge="<script>")).status_code == 400


async def test_a_message_is_stored_and_answered_200(api: GraphApi, desk: Desk, served: FacebookChannel) -> None:
    event = api.message("My withdrawal is stuck.")
    assert await api.deliver() == [200]
    [stored] = desk.stored.values()
    assert stored.external_id == f"{PAGE}:{event['message']['mid']}"
    assert (stored.conversation_key, stored.sender) == (f"{PAGE}:77", "77")
    assert (await served.read(stored.raw, stored.envelope)).text == "My withdrawal is stuck."


async def test_a_message_with_an_unusual_id_is_a_message(api: GraphApi, desk: Desk, served: FacebookChannel) -> None:
    api.event("77", message={"mid": "m_" + "ü" * 300, "text": "My withdrawal is stuck."})
    api.times = 2
    assert await api.deliver() == [200, 200]
    [stored] = desk.stored.values()
    assert (stored.conversation_key, len(stored.external_id) <= 255) == (f"{PAGE}:77", True)
    assert (await served.read(stored.raw, stored.envelope)).text == "My withdrawal is stuck."


async def test_a_comment_is_a_conversation_of_its_author(api: GraphApi, desk: Desk, served: FacebookChannel) -> None:
    value = api.comment("我的提现没有到账")
    assert await api.deliver() == [200]
    [stored] = desk.stored.values()
    assert stored.external_id == f"{PAGE}:{value['comment_id']}:add"
    assert (stored.conversation_key, stored.sender) == (f"{PAGE}:public:77", "77")
    read = await served.read(stored.raw, stored.envelope)
    assert (read.text, read.thread["object_id"]) == ("我的提现没有到账", value["comment_id"])


@pytest.mark.parametrize("signature", ["", "sha256=", "sha256=" + "0" * 64, "sha1=" + "0" * 40, "\xff"])
async def test_what_is_not_signed_is_refused_and_nothing_is_stored(
    api: GraphApi, desk: Desk, served: FacebookChannel, signature: str
) -> None:
    answer = await api.post_signed(b'{"object":"page","entry":[]}', signature)
    assert (answer.status_code, desk.attempts) == (403, 0)
    assert served.figures().refused == {"wrong_signature": 1}


async def test_no_signature_is_refused(api: GraphApi, desk: Desk, served: FacebookChannel) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        assert (await http.post(api.webhook, content=b"{}")).status_code == 403
    assert desk.attempts == 0


async def test_a_signature_holds_for_its_bytes_only(api: GraphApi, desk: Desk, served: FacebookChannel) -> None:
    """The same JSON, written in another way."""
    body = b'{"object":"page","entry":[]}'
    assert (await api.post_signed(body + b" ", signed(body))).status_code == 403
    assert desk.attempts == 0


async def test_five_times_and_shuffled_is_one_event_each(api: GraphApi, desk: Desk, served: FacebookChannel) -> None:
    api.times, api.shuffled = 5, random.Random(2)
    for number in range(10):
        api.message(str(number), person=str(number % 3 + 1))
        api.comment(str(number), author=str(number % 3 + 1))
    assert set(await api.deliver(together=7)) == {200}
    assert len(desk.stored) == 20


async def test_one_bad_entry_does_not_hold_back_the_good_ones_and_is_kept(
    api: GraphApi, desk: Desk, served: FacebookChannel
) -> None:
    api.message("before")
    api.pending += [{"id": PAGE, "messaging": [{"sender": 3, "message": [1]}]}, {"id": PAGE, "changes": [7]}]
    api.comment("after")
    assert await api.deliver(together=4) == [200]
    read = [await served.read(stored.raw, stored.envelope) for stored in desk.stored.values()]
    assert sorted((each.kind, each.text) for each in read) == [
        (Kind.AUTOMATIC, ""),
        (Kind.AUTOMATIC, ""),
        (Kind.MESSAGE, "after"),
        (Kind.MESSAGE, "before"),
    ]
    assert {"sender": 3, "message": [1]} in [json.loads(stored.raw) for stored in desk.stored.values()]


async def test_one_that_cannot_be_stored_does_not_hold_back_other_people(
    api: GraphApi, desk: Desk, served: FacebookChannel
) -> None:
    desk.fail_next = [NotStored("the disk is full", 6.2)]
    for person in ("1", "2", "3"):
        api.message("hello", person)
    assert await api.deliver(together=3) == [503]
    assert len(desk.stored) == 2
    assert await api.deliver(together=3) == [200]
    assert len(desk.stored) == 3


async def test_what_is_not_stored_is_not_answered_200(api: GraphApi, desk: Desk, served: FacebookChannel) -> None:
    desk.fail_next = [NotStored("the disk is full", 6.2), RuntimeError("a bug")]
    api.message("one")
    assert await api.deliver() == [503]
    assert await api.deliver() == [503]
    assert (await api.deliver(), len(desk.stored)) == ([200], 1)


async def test_it_says_when_to_come_again(api: GraphApi, desk: Desk, served: FacebookChannel) -> None:
    desk.fail_next = [NotStored("the disk is full", 6.2)]
    answer = await api.post_signed(b"no JSON")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")


async def test_a_body_that_is_too_long_is_not_read(api: GraphApi, desk: Desk, served: FacebookChannel) -> None:
    assert (await api.post_signed(bytes(4 * 1024 * 1024 + 1))).status_code == 413
    assert desk.attempts == 0


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"[]", b"null", b'{"object":"page"}', b'{"object":"page","entry":[3]}', b"[" * 100_000]
)
async def test_what_is_no_delivery_is_stored_once_and_answered(
    api: GraphApi, desk: Desk, served: FacebookChannel, body: bytes
) -> None:
    assert [(await api.post_signed(body)).status_code for _ in range(2)] == [200, 200]
    [stored] = desk.stored.values()
    read = await served.read(stored.raw, stored.envelope)
    assert (read.text, read.kind) == ("", Kind.AUTOMATIC)
    assert read.note


@pytest.mark.parametrize(
    "content",
    [
        {"read": {"watermark": 1458668856253}},
        {"delivery": {"mids": ["m_1"], "watermark": 1}},
        {"reaction": {"reaction": "smile", "mid": "m_1"}},
    ],
)
async def test_receipts_and_reactions_are_not_stored(
    api: GraphApi, desk: Desk, served: FacebookChannel, content: dict[str, Any]
) -> None:
    api.event("77", **content)
    assert (await api.deliver(), desk.attempts) == ([200], 0)
    assert served.figures().refused == {"not_asked_for": 1}


async def test_likes_hidings_and_other_fields_are_not_stored(
    api: GraphApi, desk: Desk, served: FacebookChannel
) -> None:
    api.change({"item": "reaction", "verb": "add", "post_id": "1_2", "from": {"id": "77"}})
    api.change({"item": "comment", "verb": "hide", "comment_id": "2_3", "from": {"id": "77"}})
    api.change({"item": "page"}, "ratings")
    assert (await api.deliver(together=3), desk.attempts) == ([200], 0)
    assert served.figures().refused == {"not_asked_for": 3}


async def test_another_page_of_the_same_app_is_not_stored(api: GraphApi, desk: Desk, served: FacebookChannel) -> None:
    api.message("to another page")
    api.pending[0]["id"] = "999"
    assert (await api.deliver(), desk.attempts) == ([200], 0)
    assert served.figures().refused == {"other_page": 1}


async def test_what_we_write_ourselves_is_not_stored(api: GraphApi, desk: Desk, start: Start) -> None:
    """Posts and comments of our page, of another page of ours, and the echo of a message."""
    served = await start(served=True, own_ids=["555"])
    post = api.post()
    sender = {"from": {"id": PAGE, "name": "Demo Exchange"}}
    api.change({"item": "status", "verb": "add", "post_id": post, "message": "News", **sender})
    api.comment("We are on it.", author=PAGE, post=post)
    api.comment("Follow us!", author="555", post=post)
    api.event(PAGE, message={"mid": "m_ours", "text": "ours"})
    api.event("31337", message={"mid": "m_echo", "text": "ours", "is_echo": True})
    assert (await api.deliver(), desk.attempts) == ([200] * 5, 0)
    assert served.figures().refused == {"own": 5}
    api.comment("And my money?", post=post)
    assert (await api.deliver(), len(desk.stored)) == ([200], 1)


async def test_after_stop_peers_are_told_to_come_again(api: GraphApi, desk: Desk, served: FacebookChannel) -> None:
    await served.stop()
    api.message("late")
    assert (await api.deliver(), desk.attempts) == ([503], 0)


async def test_a_channel_that_is_off_has_no_route(start: Start, tmp_path: object) -> None:
    of = await start(looked=False, page_id="", page_token="", app_secret="", verify_token="")
    assert (of.routes(), of.door(), of.deaf(), of.trouble()) == ((), "", None, None)


async def test_what_is_being_stored_is_finished_before_the_stop(
    api: GraphApi, desk: Desk, served: FacebookChannel
) -> None:
    desk.door.clear()
    api.message("in the middle")
    delivery = asyncio.create_task(api.deliver())
    await desk.waiting.wait()
    stopping = asyncio.create_task(served.stop())
    await asyncio.sleep(0)
    desk.door.set()
    await stopping
    assert (await delivery, len(desk.stored)) == ([200], 1)


async def test_a_peer_that_hangs_up_does_not_interrupt_the_commit(
    api: GraphApi, desk: Desk, served: FacebookChannel
) -> None:
    desk.door.clear()
    api.message("and gone")
    delivery = asyncio.create_task(api.deliver())
    await desk.waiting.wait()
    delivery.cancel()
    await asyncio.gather(delivery, return_exceptions=True)
    desk.door.set()
    await served.stop()
    assert len(desk.stored) == 1
