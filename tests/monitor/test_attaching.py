"""The files of one message: they share one time of patience, and what can be had is not fetched at every try."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence

import pytest

from channels.faults import RetryLater
from channels.monitor.attaching import Attached, Attaching, Found
from channels.monitor.files import Files
from tests.bluesky.harness import WORDS
from tests.monitor.harness import Time
from tests.monitor.media import MediaHost


@pytest.fixture
async def host() -> AsyncIterator[MediaHost]:
    async with MediaHost().running() as running:
        yield running


@pytest.fixture
async def time() -> Time:
    return Time()


@pytest.fixture
async def attaching(host: MediaHost, time: Time) -> AsyncIterator[Attaching]:
    files = Files([host.url], 1000, 5)
    yield Attaching("bluesky", files, WORDS, time.monotonic)
    await files.close()


async def attached(attaching: Attaching, host: MediaHost, names: Sequence[str]) -> Attached:
    found = [Found(f"{host.url}/{name}", name, "image/png") for name in names]
    return await attaching.of(found, "en", fetching=True)


async def test_ten_dead_files_hold_up_their_message_no_longer_than_one(
    attaching: Attaching, host: MediaHost, time: Time
) -> None:
    names = [f"{number}.png" for number in range(10)]
    host.down.update(names)
    for _ in range(3):
        with pytest.raises(RetryLater):
            await attached(attaching, host, names)
        await time.skip(39)
    with pytest.raises(RetryLater):
        await attached(attaching, host, names)
    await time.skip(4)
    found = await attached(attaching, host, names)
    assert (found.files, len(found.notes)) == ([], 10)
    assert all("could not be fetched" in note for note in found.notes)


async def test_what_can_be_had_is_not_downloaded_at_every_try(
    attaching: Attaching, host: MediaHost, time: Time
) -> None:
    host.files |= {"a.png": b"A", "c.png": b"C"}
    host.down.add("b.png")
    for _ in range(5):
        with pytest.raises(RetryLater):
            await attached(attaching, host, ["a.png", "b.png", "c.png"])
    assert Counter(host.asked) == {"a.png": 1, "b.png": 5, "c.png": 1}
    await time.skip(121)
    found = await attached(attaching, host, ["a.png", "b.png", "c.png"])
    assert [file.data for file in found.files] == [b"A", b"C"]
    assert len(found.notes) == 1


async def test_each_message_has_its_own_time(attaching: Attaching, host: MediaHost, time: Time) -> None:
    host.down.update(["a.png", "b.png"])
    with pytest.raises(RetryLater):
        await attached(attaching, host, ["a.png"])
    await time.skip(121)
    with pytest.raises(RetryLater):
        await attached(attaching, host, ["b.png"])
    assert len((await attached(attaching, host, ["a.png"])).notes) == 1
