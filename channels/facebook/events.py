"""What Facebook posts to the webhook, event by event: whose each is, and the JSON that is stored of it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from channels.facebook.ids import EPOCH, name_of, person
from channels.monitor.parts import entries, part, words
from channels.monitor.positions import MICROSECONDS
from channels.monitor.posts import Post

_EVENTS_WITHOUT_WORDS = frozenset(
    {
        "account_linking",
        "app_roles",
        "delivery",
        "message_context",
        "messaging_feedback",
        "optin",
        "pass_thread_control",
        "policy_enforcement",
        "reaction",
        "read",
        "referral",
        "request_thread_control",
        "take_thread_control",
    }
)
_POSTS = frozenset({"post", "status", "photo", "video", "album"})
_VERBS = {"add": "comment", "edited": "comment_edit", "edit": "comment_edit", "remove": "comment_removal"}
MOST_NAME_CHARACTERS = 100


@dataclass
class Batch:
    """One delivery."""

    messages: list[Post] = field(default_factory=list)
    comments: list[Post] = field(default_factory=list)
    odd: list[Post] = field(default_factory=list)
    """What nobody here can read; kept all the same."""
    ignored: Counter[str] = field(default_factory=Counter)
    """What is not stored, by reason."""


class Splitter:
    def __init__(self, page_id: str, pressed: Callable[[object, str], str | None]) -> None:
        """`pressed`: the name of a button of ours, from its payload and the person's id; None for everything else."""
        self._page_id = page_id
        self._pressed = pressed

    def batch(self, body: bytes) -> Batch:
        """Never fails: one bad entry does not hold back the others."""
        batch = Batch()
        try:
            delivery = json.loads(body)
        except (ValueError, RecursionError):
            batch.odd.append(self._odd(body))
            return batch
        if isinstance(delivery, dict) and delivery.get("object") not in ("page", None):
            batch.ignored["not_asked_for"] += 1
            return batch
        if not isinstance(delivery, dict) or not isinstance(delivery.get("entry"), list):
            batch.odd.append(self._odd(body))
            return batch
        for entry in delivery["entry"]:
            self._entry(entry, batch)
        return batch

    def _entry(self, entry: Any, batch: Batch) -> None:
        if part(entry, "id") not in (self._page_id, None):
            batch.ignored["other_page"] += 1
            return
        events = [*entries(entry, "messaging"), *entries(entry, "standby")]
        changes = entries(entry, "changes")
        if not events and not changes:
            batch.odd.append(self._odd(_plain(entry)))
        for event in events:
            self._event(event, batch)
        for change in changes:
            self._change(change, part(entry, "time"), batch)

    def _event(self, event: Any, batch: Batch) -> None:
        if isinstance(event, dict) and not _EVENTS_WITHOUT_WORDS.isdisjoint(event) and "message" not in event:
            batch.ignored["not_asked_for"] += 1
            return
        sender = person(part(event, "sender", "id"))
        found = next(_readable(event), None)
        if sender is None or found is None:
            batch.odd.append(self._odd(_plain(event)))
            return
        kind, own_id = found
        batch.messages.append(self._message(kind, own_id, sender, event))

    def _message(self, kind: str, own_id: str, sender: str, event: Mapping[str, Any]) -> Post:
        at = _milliseconds(event.get("timestamp"))
        payload = part(event, "message", "quick_reply", "payload") or part(event, "postback", "payload")
        press = self._pressed(payload, sender)
        title = words(event, "message", "text") or words(event, "postback", "title")
        echo = part(event, "message", "is_echo") is True
        return Post(
            id=f"{self._page_id}:{own_id}",
            position=MICROSECONDS.at(at),
            author_id=self._page_id if echo else sender,
            username="",
            language=None,
            raw=packed(kind, event=event),
            envelope={"at": at.isoformat(), **({"press": press, "title": title or press} if press else {})},
        )

    def _change(self, change: Any, time: Any, batch: Batch) -> None:
        value = part(change, "value")
        item = words(value, "item")
        if part(change, "field") != "feed" or (item != "comment" and item not in _POSTS):
            known = isinstance(part(change, "field"), str)
            if known:
                batch.ignored["not_asked_for"] += 1
            else:
                batch.odd.append(self._odd(_plain(change)))
            return
        kind = _VERBS.get(str(part(value, "verb")))
        object_id = name_of(part(value, "comment_id" if item == "comment" else "post_id"))
        if kind is None:
            batch.ignored["not_asked_for"] += 1
        elif object_id is None:
            batch.odd.append(self._odd(_plain(change)))
        else:
            batch.comments.append(self._comment(kind, object_id, value, time))

    def _comment(self, kind: str, object_id: str, value: Mapping[str, Any], time: Any) -> Post:
        """An edit carries no number: it is told apart by its content and the time of its delivery."""
        at = _seconds(value.get("created_time"))
        edit = f":{_digest(_plain([value, time]))[:16]}" if kind == "comment_edit" else ""
        verb = {"comment": "add", "comment_edit": "edited", "comment_removal": "remove"}[kind]
        return Post(
            id=f"{self._page_id}:{object_id}:{verb}{edit}",
            position=MICROSECONDS.at(at),
            author_id=person(part(value, "from", "id")) or f"unknown-{object_id}",
            username=words(value, "from", "name")[:MOST_NAME_CHARACTERS],
            language=None,
            raw=packed(kind, value=value),
            envelope={"at": at.isoformat()},
        )

    def _odd(self, raw: bytes) -> Post:
        digest = _digest(raw)
        return Post(
            id=f"{self._page_id}:sha256:{digest}", position=0, author_id=digest, username="", language=None, raw=raw
        )


def packed(kind: str, **content: Any) -> bytes:
    """What is stored: the same bytes for the same content."""
    return _plain({"kind": kind, **content})


def _readable(event: Any) -> Iterator[tuple[str, str]]:
    """What kind of event it is and its own id."""
    mid = name_of(part(event, "message", "mid"))
    if mid is not None:
        deleted = part(event, "message", "is_deleted") is True
        yield ("deletion", f"{mid}:deleted") if deleted else ("message", mid)
    edited, count = name_of(part(event, "message_edit", "mid")), part(event, "message_edit", "num_edit")
    if edited is not None and str(count).isalnum():
        yield "edit", f"{edited}:edit:{str(count)[:20]}"
    if isinstance(part(event, "postback"), dict):
        yield "postback", name_of(part(event, "postback", "mid")) or f"postback:{_digest(_plain(event))[:32]}"


def _plain(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def _milliseconds(value: Any) -> datetime:
    return _since_epoch(value, timedelta(milliseconds=1))


def _seconds(value: Any) -> datetime:
    return _since_epoch(value, timedelta(seconds=1))


def _since_epoch(value: Any, unit: timedelta) -> datetime:
    """Our own time where Facebook's makes no sense."""
    now = datetime.now(UTC)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 10**14:
        return now
    try:
        return min(EPOCH + value * unit, now + timedelta(days=1))
    except OverflowError:
        return now
