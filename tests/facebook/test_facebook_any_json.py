"""The door and `read` never fail, whatever JSON comes."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.contract import ReadMessage
from channels.facebook import build
from channels.facebook.events import Splitter
from tests.facebook.graph_api import CREDENTIALS, PAGE
from tests.facebook.harness import context
from tests.monitor.harness import Desk

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from([PAGE, "7"])
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [
    *(
        "attachments",
        "coordinates",
        "from",
        "id",
        "is_deleted",
        "is_echo",
        "item",
        "link",
        "mid",
        "message",
        "num_edit",
    ),
    *("payload", "photo", "photos", "post_id", "comment_id", "created_time", "quick_reply", "sticker_id", "text"),
    *("timestamp", "title", "type", "url", "verb", "video"),
]


def like(**known: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """An object that mostly looks as it should."""
    more = st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=4)
    base = st.fixed_dictionaries({}, optional={name: value | ANYTHING for name, value in known.items()})
    return st.builds(lambda extra, right: {**extra, **right}, more, base)


IDS = st.fixed_dictionaries({"id": st.sampled_from([PAGE, "77"]) | ANYTHING})
FILES = st.lists(
    like(type=st.sampled_from(["image", "file", "location"]), payload=like(url=st.just("x://y"))), max_size=2
)
MESSAGES = like(mid=st.just("m_1"), text=st.text(), attachments=FILES, quick_reply=like(payload=st.text()))
EDITS = like(mid=st.just("m_1"), text=st.text(), num_edit=st.integers(0, 5))
EVENTS = like(sender=IDS, message=MESSAGES, message_edit=EDITS, postback=like(title=st.text()), timestamp=st.integers())
ITEMS = st.sampled_from(["comment", "status", "reaction"])
VALUES = like(item=ITEMS, verb=st.sampled_from(["add", "edited", "remove"]), comment_id=st.just("1_2"), **{"from": IDS})
CHANGES = like(field=st.just("feed"), value=VALUES)
ENTRIES = like(id=st.just(PAGE), messaging=st.lists(EVENTS, max_size=2), changes=st.lists(CHANGES, max_size=2))
DELIVERIES = like(object=st.just("page"), entry=st.lists(ENTRIES, max_size=3)) | ANYTHING
_CHANNEL = build(context(Path("unused"), Desk(), **CREDENTIALS))
_SPLITTER = Splitter(PAGE, lambda _payload, _person: None)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(DELIVERIES)
def test_any_delivery_is_split_and_read(delivery: Any) -> None:
    batch = _SPLITTER.batch(json.dumps(delivery).encode())
    again = _SPLITTER.batch(json.dumps(delivery).encode())
    for post in [*batch.messages, *batch.comments, *batch.odd]:
        assert 0 < len(post.id) <= 255
        assert len(f"{PAGE}:public:{post.author_id}") <= 255
        read = asyncio.run(_CHANNEL.read(post.raw, post.envelope))
        assert isinstance(read, ReadMessage)
        assert "\0" not in read.text
        (read.text + (read.note or "") + str(dict(read.thread))).encode()
    assert [post.id for post in again.messages + again.comments] == [
        post.id for post in batch.messages + batch.comments
    ]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=50))
def test_any_bytes_are_read(raw: bytes) -> None:
    read = asyncio.run(_CHANNEL.read(raw, {}))
    assert (read.text, bool(read.note)) == ("", True)
