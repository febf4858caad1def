"""The list of stored posts: bounded, shared between processes, and no reason to lose a post."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from channels.monitor import seen as module
from channels.monitor.durable import read_json
from channels.monitor.posts import Post
from channels.monitor.seen import DELETED, FILE, SeenPosts
from tests.monitor.harness import Time

DAY = timedelta(days=1)
HALF_HOUR = timedelta(minutes=30)


def post(post_id: str, first: str = "", version: str = "") -> Post:
    return Post(
        id=post_id,
        position=1,
        author_id="77",
        username="li",
        language="zh",
        raw=b"{}",
        first=first,
        version=version,
    )


@pytest.fixture
async def time() -> Time:
    return Time()


def test_a_version_of_what_another_process_stored_is_known(tmp_path: Path, time: Time) -> None:
    one, two = (SeenPosts(tmp_path, time.wall) for _ in range(2))
    assert one.changed([post("1")]) == set()
    one.add([post("1")])
    assert two.changed([post("1"), post("2", first="1"), post("3")]) == {"2"}
    two.add([post("2", first="1")])
    assert one.changed([post("2", first="1")]) == set()


def test_an_edit_right_behind_its_original_is_known(tmp_path: Path, time: Time) -> None:
    assert SeenPosts(tmp_path, time.wall).changed([post("1"), post("2", first="1")]) == {"2"}


def test_a_version_under_the_originals_id_is_still_to_come(tmp_path: Path, time: Time) -> None:
    posts = SeenPosts(tmp_path, time.wall)
    posts.add([post("at://a", version="c1")])
    posts.add([post("at://a", version="c2")])
    assert [seen.versions for seen in posts.due(DAY, timedelta(0), 10)] == [("c1",)]


def test_a_post_that_comes_after_its_removal_is_no_change(tmp_path: Path, time: Time) -> None:
    posts = SeenPosts(tmp_path, time.wall)
    gone = post("1:deleted", first="1", version=DELETED)
    posts.add([gone])
    assert posts.changed([post("1", version="c1")]) == set()
    posts.add([post("1", version="c1")])
    assert posts.changed([post("2", first="1"), gone]) == {"2"}


def test_a_post_is_known_by_each_of_its_versions(tmp_path: Path, time: Time) -> None:
    posts = SeenPosts(tmp_path, time.wall)
    posts.add([post("1"), post("2", first="1")])
    found = [posts.having(version) for version in ("1", "2", "3")]
    assert [seen and seen.first for seen in found] == ["1", "1", None]


async def test_whose_turn_it_is(tmp_path: Path, time: Time) -> None:
    posts = SeenPosts(tmp_path, time.wall)
    posts.add([post("1")])
    await time.skip(900)
    posts.add([post("2"), post("2:deleted", first="2", version="deleted"), post("3")])
    assert posts.due(DAY, HALF_HOUR, 10) == []
    await time.skip(1800)
    [first, second] = posts.due(DAY, HALF_HOUR, 10)
    assert (first.first, second.first) == ("1", "3")
    assert [seen.first for seen in posts.due(DAY, HALF_HOUR, 1)] == ["1"]
    posts.asked([first])
    assert [seen.first for seen in posts.due(DAY, HALF_HOUR, 10)] == ["3"]
    await time.skip(86_400)
    assert posts.due(DAY, HALF_HOUR, 10) == []


async def test_a_clock_that_was_set_back_stops_nothing(tmp_path: Path, time: Time) -> None:
    posts = SeenPosts(tmp_path, lambda: time.wall() + timedelta(hours=20))
    posts.add([post("1")])
    earlier = SeenPosts(tmp_path, time.wall)
    assert [seen.first for seen in earlier.due(DAY, HALF_HOUR, 10)] == ["1"]


async def test_it_stays_small(tmp_path: Path, time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    posts = SeenPosts(tmp_path, time.wall)
    for number in range(5):
        posts.add([post(str(number))])
        await time.skip(1)
    assert list(read_json(tmp_path / FILE)) == ["4", "3", "2"]
    await time.skip(31 * 86_400)
    posts.add([post("9")])
    assert list(read_json(tmp_path / FILE)) == ["9"]


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"1":7}', b'{"1":{"at":1,"asked":1,"author":"7","versions":[1]}}', b"\xff"]
)
def test_a_damaged_list_is_put_aside(tmp_path: Path, time: Time, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    posts = SeenPosts(tmp_path, time.wall)
    posts.add([post("1")])
    assert (list(read_json(tmp_path / FILE)), posts.damaged) == (["1"], True)
    assert (tmp_path / "seen.damaged").read_bytes() == content
