"""Pictures and films of a post at X become attachments; what cannot be had never loses the words."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import Response

from channels.contract import ReadMessage
from channels.faults import RetryLater
from channels.monitor.files import is_from
from channels.twitter.channel import XChannel
from channels.twitter.settings import MEDIA_ORIGINS
from tests.fakes.desk import FakeDesk
from tests.monitor.harness import Time
from tests.monitor.media import MediaHost, redirect
from tests.twitter.harness import channel

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


@pytest.fixture
async def host() -> AsyncIterator[MediaHost]:
    async with MediaHost().running() as running:
        yield running


@pytest.fixture
async def time() -> Time:
    return Time()


@pytest.fixture
async def reader(tmp_path: Path, host: MediaHost, time: Time) -> AsyncIterator[XChannel]:
    settings: dict[str, Any] = {"media_origins": [host.url], "max_media_bytes": 10_000}
    built = channel(tmp_path, FakeDesk(), "http://127.0.0.1:9", time, **settings)
    yield built
    await built.close()


async def read(reader: XChannel, *media: dict[str, Any], text: str = "look", author: str = "77") -> ReadMessage:
    kept = {"post": {"id": "1001", "text": text, "author_id": author}, "author": {"id": author}, "media": list(media)}
    return await reader.read(json.dumps(kept).encode(), {"feed": "mentions"})


async def test_a_picture_is_fetched_in_a_large_size(reader: XChannel, host: MediaHost) -> None:
    host.files["media/a.png"] = PNG
    message = await read(reader, {"type": "photo", "url": f"{host.url}/media/a.png", "alt_text": "my balance"}, text="")
    [file] = message.attachments
    assert (file.filename, file.content_type, file.data) == ("a.png", "image/png", PNG)
    assert message.note == "The author describes the pictures or the film: my balance"


async def test_of_a_film_the_best_that_fits_is_fetched(reader: XChannel, host: MediaHost) -> None:
    host.files |= {"small.mp4": b"small", "middle.mp4": b"middle", "large.mp4": b"large"}
    rates = {"large": 64_000, "small": 800, "middle": 8_000}
    variants = [
        {"bit_rate": rate, "content_type": "video/mp4", "url": f"{host.url}/{name}.mp4"} for name, rate in rates.items()
    ]
    variants.append({"content_type": "application/x-mpegURL", "url": f"{host.url}/list.m3u8"})
    film = {"type": "video", "duration_ms": 10_000, "variants": variants, "preview_image_url": f"{host.url}/p.jpg"}
    assert [file.data for file in (await read(reader, film)).attachments] == [b"middle"]
    assert [file.data for file in (await read(reader, film | {"duration_ms": 10**9})).attachments] == [b"small"]


async def test_a_film_without_files_is_its_preview(reader: XChannel, host: MediaHost) -> None:
    host.files["p.jpg"] = b"\xff\xd8\xff"
    message = await read(reader, {"type": "video", "preview_image_url": f"{host.url}/p.jpg"})
    assert [(file.filename, file.content_type) for file in message.attachments] == [("p.jpg", "image/jpeg")]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/a.jpg",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "ht!tp://[",
        "{host}@b",
    ],
)
async def test_nothing_is_fetched_from_anywhere_else(reader: XChannel, host: MediaHost, url: str) -> None:
    message = await read(reader, {"type": "photo", "url": url.format(host=host.url)})
    assert (message.text, message.attachments, host.asked) == ("look", (), [])
    assert "could not be fetched" in (message.note or "")


async def test_a_redirect_is_not_followed(reader: XChannel, host: MediaHost) -> None:
    host.fail_next = [redirect(f"{host.url}/inside")]
    message = await read(reader, {"type": "photo", "url": f"{host.url}/a.jpg"})
    assert (message.attachments, host.asked) == ((), ["a.jpg"])


async def test_what_is_too_large_is_named(reader: XChannel, host: MediaHost) -> None:
    host.files["a.jpg"] = bytes(10_001)
    message = await read(reader, {"type": "photo", "url": f"{host.url}/a.jpg"})
    assert (message.text, message.attachments) == ("look", ())
    assert "a.jpg?name=large is too large" in (message.note or "")


async def test_it_is_waited_for_but_not_for_ever(reader: XChannel, host: MediaHost, time: Time) -> None:
    photo = {"type": "photo", "url": f"{host.url}/late.jpg"}
    host.fail_next = [Response(status_code=code) for code in (503, 429, 503)]
    for _ in range(2):
        with pytest.raises(RetryLater):
            await read(reader, photo)
    await time.skip(121)
    message = await read(reader, photo, text="在这里")
    assert (message.text, message.attachments) == ("在这里", ())
    assert "未能下载文件" in (message.note or "")


async def test_it_comes_after_a_while(reader: XChannel, host: MediaHost) -> None:
    host.fail_next = [Response(status_code=503)]
    host.files["late.jpg"] = PNG
    photo = {"type": "photo", "url": f"{host.url}/late.jpg"}
    with pytest.raises(RetryLater):
        await read(reader, photo)
    assert [file.data for file in (await read(reader, photo)).attachments] == [PNG]


async def test_nothing_of_ours_is_fetched_and_not_without_end(reader: XChannel, host: MediaHost) -> None:
    host.files |= {f"{number}.jpg": PNG for number in range(40)}
    photos = [{"type": "photo", "url": f"{host.url}/{number}.jpg"} for number in range(40)]
    assert (await read(reader, *photos, author="4242")).attachments == ()
    assert host.asked == []
    assert len((await read(reader, *photos)).attachments) == 10


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://pbs.twimg.com/media/a.jpg?name=large", True),
        ("https://video.twimg.com/amplify_video/1/vid/a.mp4?tag=14", True),
        ("https://twimg.com/a.jpg", False),
        ("https://pbs.twimg.com.evil.example/a.jpg", False),
        ("http://pbs.twimg.com/a.jpg", False),
    ],
)
def test_which_places_are_xs(url: str, *, allowed: bool) -> None:
    assert is_from(url, MEDIA_ORIGINS) is allowed
