"""What people write comes out as they meant it; edits and deletions stand beside the original; files are fetched
from Facebook's own places only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from channels.contract import Kind, ReadMessage
from channels.facebook.channel import FacebookChannel
from channels.facebook.settings import FILE_ORIGINS
from channels.faults import RetryLater
from channels.monitor.files import is_from
from tests.facebook.graph_api import PAGE, Fault, GraphApi
from tests.monitor.harness import Desk, Time

type Start = Callable[..., Awaitable[FacebookChannel]]


async def read(api: GraphApi, desk: Desk, channel: FacebookChannel) -> ReadMessage:
    """The newest message after everything that waits is delivered."""
    assert set(await api.deliver()) <= {200}
    stored = list(desk.stored.values())[-1]
    return await channel.read(stored.raw, stored.envelope)


def attached(kind: str, **payload: Any) -> dict[str, Any]:
    return {"attachments": [{"type": kind, "payload": payload}]}


async def test_an_edit_stands_beside_the_original(api: GraphApi, desk: Desk, served: FacebookChannel) -> None:
    mid = api.message("My withdrawl is stuck")["message"]["mid"]
    for number, text in enumerate(["My withdrawal is stuck", "My withdrawal is stuck, please"], 1):
        api.event("77", message_edit={"mid": mid, "text": text, "num_edit": number})
    api.times = 2
    edit = await read(api, desk, served)
    assert (edit.text, edit.kind, edit.thread) == ("My withdrawal is stuck, please", Kind.MESSAGE, {})
    assert mid in str(edit.note)
    assert len(desk.stored) == 3
    assert len({stored.conversation_key for stored in desk.stored.values()}) == 1


async def test_a_deletion_is_recorded_and_asks_for_nothing(api: GraphApi, desk: Desk, served: FacebookChannel) -> None:
    mid = api.message("my password is 1234")["message"]["mid"]
    api.event("77", message={"mid": mid, "is_deleted": True})
    deletion = await read(api, desk, served)
    assert (deletion.text, deletion.kind, len(desk.stored)) == ("", Kind.AUTOMATIC, 2)
    assert mid in str(deletion.note)


async def test_changes_of_a_comment_stand_beside_it(api: GraphApi, desk: Desk, served: FacebookChannel) -> None:
    value = api.comment("你们吞了我的钱")
    api.change({**value, "verb": "edited", "message": "你们把我的钱弄到哪里去了"})
    edit = await read(api, desk, served)
    assert (edit.text, edit.thread["object_id"]) == ("你们把我的钱弄到哪里去了", value["comment_id"])
    assert "更正" in str(edit.note)
    for message in ("请退钱", "请退钱！"):
        api.change({**value, "verb": "edited", "message": message})
    api.times = 2
    assert ((await read(api, desk, served)).text, len(desk.stored)) == ("请退钱！", 4)
    api.change({**value, "verb": "remove", "message": None})
    removal = await read(api, desk, served)
    assert (removal.text, removal.kind, len(desk.stored)) == ("", Kind.AUTOMATIC, 5)
    assert {stored.conversation_key for stored in desk.stored.values()} == {f"{PAGE}:public:77"}


async def test_a_visitors_post_is_like_a_comment(api: GraphApi, desk: Desk, served: FacebookChannel) -> None:
    sender = {"id": "77", "name": "Li"}
    api.change({"item": "status", "verb": "add", "post_id": f"{PAGE}_5", "from": sender, "message": "Thieves!"})
    found = await read(api, desk, served)
    assert (found.text, found.thread["object_id"]) == ("Thieves!", f"{PAGE}_5")


async def test_a_comment_whose_author_is_not_named_is_kept(api: GraphApi, desk: Desk, served: FacebookChannel) -> None:
    api.change({"item": "comment", "verb": "add", "comment_id": "5_6", "post_id": "1_5", "message": "Scam"})
    assert (await read(api, desk, served)).text == "Scam"
    assert [stored.sender for stored in desk.stored.values()] == ["unknown-5_6"]


async def test_a_file_is_fetched_and_kept(api: GraphApi, desk: Desk, served: FacebookChannel) -> None:
    api.files["proof.pdf"] = b"%PDF-1.7 proof"
    api.message(None, **attached("file", url=f"{api.url}/files/proof.pdf?oh=1"))
    found = await read(api, desk, served)
    [file] = found.attachments
    assert (file.filename, file.data, found.note) == ("proof.pdf", b"%PDF-1.7 proof", None)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/files/proof.pdf",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "{api}@evil.example/files/proof.pdf",
        "ht!tp://[",
        "{api}.evil.example/x",
    ],
)
async def test_nothing_is_fetched_from_anywhere_else(
    api: GraphApi, desk: Desk, served: FacebookChannel, url: str
) -> None:
    api.message("look", **attached("image", url=url.format(api=api.url)))
    found = await read(api, desk, served)
    assert (found.text, found.attachments, api.called("file")) == ("look", (), [])
    assert "could not be fetched" in str(found.note)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://scontent.xx.fbcdn.net/v/t1.png?oh=1", True),
        ("https://cdn.fbsbx.com/v/t59/proof.pdf", True),
        ("https://fbcdn.net/x", False),
        ("https://evilfbcdn.net/x", False),
        ("https://scontent.fbcdn.net.evil.example/x", False),
        ("https://evil.example/https://a.fbcdn.net/x", False),
        ("https://a.fbcdn.net@evil.example/x", False),
        ("https://evil.example\\@a.fbcdn.net/x", False),
        ("https://a.fbcdn.net:8443/x", False),
        ("http://a.fbcdn.net/x", False),
        ("//a.fbcdn.net/x", False),
        ("https://ａ.fbcdn.net/x", False),
        ("https://a.fbcdn.net:port/x", False),
    ],
)
def test_which_places_are_facebooks(url: str, *, allowed: bool) -> None:
    assert is_from(url, FILE_ORIGINS) is allowed


async def test_a_redirect_is_not_followed(api: GraphApi, desk: Desk, served: FacebookChannel) -> None:
    api.fail_next["file"] = [Fault(status=302, headers={"Location": f"{api.url}/files/inside"})]
    api.message(None, **attached("image", url=f"{api.url}/files/a.jpg"))
    found = await read(api, desk, served)
    assert (found.attachments, len(api.called("file"))) == ((), 1)


async def test_a_file_that_is_too_large_is_named(api: GraphApi, desk: Desk, start: Start) -> None:
    channel = await start(served=True, max_file_bytes=10)
    api.files["film.mp4"] = bytes(11)
    api.message("see the film", **attached("video", url=f"{api.url}/files/film.mp4"))
    found = await read(api, desk, channel)
    assert found.attachments == ()
    assert "film.mp4 is too large" in str(found.note)


async def test_a_file_is_waited_for_but_not_for_ever(
    api: GraphApi, desk: Desk, served: FacebookChannel, time: Time
) -> None:
    api.fail_next["file"] = [Fault(status=503)] * 2
    api.message("in words", **attached("image", url=f"{api.url}/files/late.png"))
    with pytest.raises(RetryLater):
        await read(api, desk, served)
    await time.skip(121)
    found = await read(api, desk, served)
    assert (found.text, found.attachments) == ("in words", ())
    assert "late.png could not be fetched" in str(found.note)


async def test_places_and_shared_links_are_kept_whole(api: GraphApi, desk: Desk, served: FacebookChannel) -> None:
    api.message(None, **attached("location", coordinates={"lat": 1.5, "long": 2.5}))
    found = await read(api, desk, served)
    [thing] = found.attachments
    assert (thing.filename, b'"lat": 1.5' in thing.data) == ("location-1.json", True)
    assert found.note


async def test_a_sticker_says_what_it_shows(api: GraphApi, desk: Desk, served: FacebookChannel) -> None:
    url = f"{api.url}/files/like.png"
    api.message(None, **attached("image", url=url, sticker_id=369239263222822))
    found = await read(api, desk, served)
    assert (found.text, found.attachments, api.called("file")) == ("\N{THUMBS UP SIGN}", (), [])


async def test_a_message_without_anything_readable_has_a_note(
    api: GraphApi, desk: Desk, served: FacebookChannel
) -> None:
    api.message(None, is_unsupported=True)
    found = await read(api, desk, served)
    assert (found.text, found.kind) == ("", Kind.MESSAGE)
    assert found.note


async def test_what_no_database_takes_is_replaced(api: GraphApi, desk: Desk, served: FacebookChannel) -> None:
    api.message("zero \x00 half \ud83d end")
    assert (await read(api, desk, served)).text == "zero \ufffd half \ufffd end"


@pytest.mark.parametrize(
    "raw", [b"", b"\xff", b"[" * 100_000, b"null", b'{"kind":"message"}', b'{"kind":"comment","value":{"photo":7}}']
)
async def test_reading_never_fails(of: FacebookChannel, raw: bytes) -> None:
    assert (await of.read(raw, {})).note


async def test_skimming_leaves_the_files_at_facebook_and_says_so(
    api: GraphApi, desk: Desk, served: FacebookChannel
) -> None:
    api.files["proof.pdf"] = b"%PDF-1.7 proof"
    api.message("收据在这里", **attached("file", url=f"{api.url}/files/proof.pdf"))
    assert set(await api.deliver()) <= {200}
    stored = list(desk.stored.values())[-1]
    found = await served.skim(stored.raw, stored.envelope)
    assert (found.text, found.attachments, found.unfetched, api.called("file")) == ("收据在这里", (), 1, [])
    assert "上限" in str(found.note)
