"""Pictures, sounds and films of a post at Mastodon become attachments; what cannot be had never loses the words."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import Response

from channels.contract import ReadMessage
from channels.faults import RetryLater
from channels.mastodon.channel import MastodonChannel
from channels.mastodon.media import origins_for
from channels.mastodon.settings import check
from channels.monitor.files import is_from
from tests.mastodon.harness import channel
from tests.mastodon.mastodon_api import TOKEN
from tests.monitor.harness import Desk, Time
from tests.monitor.media import MediaHost, redirect

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
PUBLIC_URL = "https://desk.exchange.example"


@pytest.fixture
async def host() -> AsyncIterator[MediaHost]:
    async with MediaHost().running() as running:
        yield running


@pytest.fixture
async def time() -> Time:
    return Time()


@pytest.fixture
async def reader(tmp_path: Path, host: MediaHost, time: Time) -> AsyncIterator[MastodonChannel]:
    """The host is our own server."""
    built = channel(tmp_path, Desk(), host.url, time, max_media_bytes=10_000)
    yield built
    await built.close()


async def read(reader: MastodonChannel, *items: dict[str, Any], content: str = "look") -> ReadMessage:
    account = {"id": "77", "acct": "li@far.example"}
    status = {"id": "1001", "content": content, "visibility": "public", "account": account}
    raw = json.dumps({"status": status | {"media_attachments": list(items)}}).encode()
    return await reader.read(raw, {"feed": "mentions", "account": "4242"})


async def test_everything_is_fetched_from_our_own_server(reader: MastodonChannel, host: MediaHost) -> None:
    host.files |= {"system/a.png": PNG, "system/b.mp4": b"film", "system/c.ogg": b"voice", "system/d": b"?"}
    kinds = {"a.png": "image", "b.mp4": "video", "c.ogg": "audio", "d": "unknown"}
    items = [{"type": kind, "url": f"{host.url}/system/{name}"} for name, kind in kinds.items()]
    items[0]["description"] = "my balance"
    message = await read(reader, *items, content="")
    assert [(file.filename, file.content_type, file.data) for file in message.attachments] == [
        ("a.png", "image/png", PNG),
        ("b.mp4", "video/mp4", b"film"),
        ("c.ogg", "audio/ogg", b"voice"),
        ("file-4.bin", "application/octet-stream", b"?"),
    ]
    assert message.note == "The author describes the pictures or the film: my balance"


async def test_nothing_is_fetched_from_the_authors_server(reader: MastodonChannel, host: MediaHost) -> None:
    async with MediaHost().running() as far:
        far.files["a.png"] = PNG
        message = await read(reader, {"type": "image", "url": None, "remote_url": f"{far.url}/a.png"})
        assert (message.text, message.attachments, far.asked, host.asked) == ("look", (), [], [])
        assert f"{far.url}/a.png could not be fetched" in (message.note or "")


async def test_a_redirect_is_not_followed(reader: MastodonChannel, host: MediaHost) -> None:
    host.fail_next = [redirect(f"{host.url}/inside")]
    assert (await read(reader, {"url": f"{host.url}/a.png"})).attachments == ()
    assert host.asked == ["a.png"]


async def test_it_is_waited_for_but_not_for_ever(reader: MastodonChannel, host: MediaHost, time: Time) -> None:
    host.fail_next = [Response(status_code=503)] * 2
    with pytest.raises(RetryLater):
        await read(reader, {"url": f"{host.url}/late.png"})
    await time.skip(121)
    message = await read(reader, {"url": f"{host.url}/late.png"})
    assert (message.text, message.attachments) == ("look", ())
    assert "late.png could not be fetched" in (message.note or "")


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://m.example/system/a.png", True),
        ("https://files.m.example/a.png", True),
        ("https://bucket.storage.example/a.png", True),
        ("https://evilm.example/a.png", False),
        ("http://m.example/a.png", False),
        ("https://far.example/a.png", False),
        ("https://127.0.0.1/a.png", False),
    ],
)
def test_which_places_are_ours(url: str, *, allowed: bool) -> None:
    section = {"base_url": "https://m.example", "access_token": TOKEN}
    settings = check({**section, "media_origins": ["https://bucket.storage.example"]}, PUBLIC_URL)
    assert is_from(url, origins_for(settings)) is allowed
