"""`read` and the door never fail, whatever JSON comes."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.contract import ReadMessage
from channels.telegram import build
from channels.telegram.updates import Sort, look
from tests.fakes.desk import FakeDesk
from tests.telegram.harness import context

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [
    "message_id",
    "date",
    "text",
    "caption",
    "entities",
    "photo",
    "document",
    "voice",
    "sticker",
    "location",
    "venue",
    "contact",
    "poll",
    "dice",
    "story",
    "edit_date",
    "forward_origin",
    "reply_to_message",
    "media_group_id",
    "via_bot",
    "pinned_message",
    "paid_media",
    "game",
    "checklist",
]


def odd(good: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return good | ANYTHING


CHATS = st.fixed_dictionaries({"id": odd(st.just(77)), "type": odd(st.sampled_from(["private", "group", "channel"]))})
USERS = st.fixed_dictionaries({"id": odd(st.integers()), "is_bot": odd(st.just(False)), "first_name": odd(st.text())})
MESSAGES = st.builds(
    lambda base, more: {**more, **base},
    st.fixed_dictionaries(
        {
            "message_id": odd(st.integers(1, 9)),
            "date": odd(st.integers(0, 2**31)),
            "chat": odd(CHATS),
            "from": odd(USERS),
        }
    ),
    st.dictionaries(st.sampled_from(FIELDS), ANYTHING | st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=3)),
)
QUERIES = st.fixed_dictionaries({"id": odd(st.text()), "from": odd(USERS), "message": odd(MESSAGES), "data": ANYTHING})
UPDATES = ANYTHING | st.dictionaries(
    st.sampled_from(["update_id", "message", "edited_message", "callback_query", "poll"]),
    ANYTHING | MESSAGES | QUERIES,
    max_size=3,
)
_CHANNEL = build(context(Path("unused"), FakeDesk()))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(UPDATES, st.sampled_from([{}, {"chat_id": 77}, {"chat_id": 77, "press": "yes", "title": "Yes"}]))
def test_any_json_is_read(update: Any, envelope: dict[str, Any]) -> None:
    raw = json.dumps(update).encode()
    read = asyncio.run(_CHANNEL.read(raw, envelope))
    assert isinstance(read, ReadMessage)
    assert "\0" not in read.text
    read.text.encode()
    assert look(raw).sort in Sort
    assert all(isinstance(file.filename, str) and isinstance(file.data, bytes) for file in read.attachments)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=50))
def test_any_bytes_are_read(raw: bytes) -> None:
    read = asyncio.run(_CHANNEL.read(raw, {"chat_id": 77}))
    assert (read.text, bool(read.note)) == ("", True)
