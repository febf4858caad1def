"""Pictures of a post on Bluesky become attachments; what cannot be had never loses the words."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import Response

from channels.bluesky.channel import BlueskyChannel
from channels.contract import ReadMessage
from channels.faults import RetryLater
from tests.bluesky.harness import channel
from tests.bluesky.pds_api import did_of
from tests.monitor.harness import Desk, Time
from tests.monitor.media import MediaHost, redirect

JPEG = b"\xff\xd8\xff" + bytes(range(256))
CID = "bafkreib2rxk3rybpyxsz"
AUTHOR = did_of(77)
PATH = f"img/feed_fullsize/plain/{AUTHOR}/{CID}@jpeg"


@pytest.fixture
async def host() -> AsyncIterator[MediaHost]:
    async with MediaHost().running() as running:
        yield running


@pytest.fixture
async def time() -> Time:
    return Time()


@pytest.fixture
async def reader(tmp_path: Path, host: MediaHost, time: Time) -> AsyncIterator[BlueskyChannel]:
    settings = {"media_url": host.url, "max_media_bytes": 10_000}
    built = channel(tmp_path, Desk(), "http://127.0.0.1:9", time, **settings)
    yield built
    await built.close()


def pictures(*cids: Any) -> dict[str, Any]:
    return {"images": [{"alt": "my balance", "image": {"ref": {"$link": cid}}} for cid in cids]}


async def read(reader: BlueskyChannel, embed: Any, text: str = "look") -> ReadMessage:
    post = {
        "uri": f"at://{AUTHOR}/app.bsky.feed.post/3k1",
        "cid": "bafyrei00000000000000000001",
        "author": {"did": AUTHOR, "handle": "li.example"},
        "record": {"text": text, "embed": embed},
    }
    return await reader.read(json.dumps({"post": post}).encode(), {"account": ""})


@pytest.mark.parametrize("beside_a_quote", [False, True])
async def test_a_picture_is_fetched(reader: BlueskyChannel, host: MediaHost, beside_a_quote: bool) -> None:
    host.files[PATH] = JPEG
    embed = {"media": pictures(CID)} if beside_a_quote else pictures(CID)
    message = await read(reader, embed, text="")
    [file] = message.attachments
    assert (file.filename, file.content_type, file.data) == (f"{CID}.jpg", "image/jpeg", JPEG)
    assert "The author describes the pictures or the film: my balance" in (message.note or "")
    assert "holds no words" not in (message.note or "")


@pytest.mark.parametrize("cid", ["../../x", "a/b", "@evil.example", "", 7, None, ["x"], {"$link": "x"}])
async def test_what_is_no_content_id_is_not_asked_for(reader: BlueskyChannel, host: MediaHost, cid: Any) -> None:
    message = await read(reader, pictures(cid))
    assert (message.text, message.attachments, host.asked) == ("look", (), [])


async def test_a_redirect_is_not_followed(reader: BlueskyChannel, host: MediaHost) -> None:
    host.fail_next = [redirect(f"{host.url}/inside")]
    message = await read(reader, pictures(CID))
    assert (message.attachments, host.asked) == ((), [PATH])
    assert "could not be fetched" in (message.note or "")


async def test_what_is_too_large_is_named(reader: BlueskyChannel, host: MediaHost) -> None:
    host.files[PATH] = bytes(10_001)
    message = await read(reader, pictures(CID))
    assert (message.text, message.attachments) == ("look", ())
    assert "is too large" in (message.note or "")


async def test_it_is_waited_for_but_not_for_ever(reader: BlueskyChannel, host: MediaHost, time: Time) -> None:
    host.fail_next = [Response(status_code=503)] * 2
    with pytest.raises(RetryLater):
        await read(reader, pictures(CID))
    await time.skip(121)
    message = await read(reader, pictures(CID))
    assert (message.text, message.attachments) == ("look", ())


async def test_not_without_end(reader: BlueskyChannel, host: MediaHost) -> None:
    cids = [f"bafkreib2rxk3r{number:03}" for number in range(40)]
    host.files |= {f"img/feed_fullsize/plain/{AUTHOR}/{cid}@jpeg": JPEG for cid in cids}
    assert len((await read(reader, pictures(*cids))).attachments) == 10
