"""Pages of notices and of posts, the newest first, as posts: whose each is, and the JSON that is stored of it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from channels.contract import spoken
from channels.monitor.faults import Unclear
from channels.monitor.parts import moment, part, words
from channels.monitor.positions import MICROSECONDS
from channels.monitor.posts import Page, Post

if TYPE_CHECKING:
    from channels.mastodon.api import Answer

ID = re.compile(r"[A-Za-z0-9-]{1,64}")
"""Digits at Mastodon; other servers that speak its API have letters, too. Only its own server can order them."""

NOTICES = ["mention", "update"]
""""update": a post that we boosted was edited."""


@dataclass(frozen=True)
class Entry:
    """`id` and `at` are what the page is ordered by."""

    id: str
    at: datetime
    post: Post


def notices_page(answer: Answer, since: int, before: str | None, account_id: str) -> Page:
    """A notice has the time at which our server heard of the post, however long that was under way."""
    found = answer.body
    entries = [_notice(each, account_id) for each in found] if isinstance(found, list) else None
    return _page(entries, answer, since, before)


def posts_page(answer: Answer, since: int, before: str | None, account_id: str) -> Page:
    """Of a hashtag or a search."""
    found = part(answer.body, "statuses") if isinstance(answer.body, dict) else answer.body
    entries = [_status(each, account_id) for each in found] if isinstance(found, list) else None
    return _page(entries, answer, since, before)


def status_of(value: Any, account_id: str) -> Post | None:
    """A post that was asked for by its id."""
    entry = _status(value, account_id)
    return None if entry is None else entry.post


def _page(entries: Sequence[Entry | None] | None, answer: Answer, since: int, before: str | None) -> Page:
    """An entry that cannot be read does not hide the others. Raises Unclear when it is no page, or nothing on it can be
    read: it would be taken for the last one, and what came before it be lost."""
    good = [entry for entry in entries or () if entry is not None]
    if entries is None or (entries and not good):
        raise Unclear
    oldest = min(good, key=lambda entry: entry.at, default=None)
    token, unreached = None, None
    if oldest is not None and (position := MICROSECONDS.at(oldest.at)) > since:
        token = oldest.id
        if token == before:  # the server does not go further back
            unreached = position
    return Page(
        posts=[entry.post for entry in good if entry.post.position > since],
        token=token,
        odd=len(entries) - len(good),
        unreached=unreached,
        quota=answer.quota,
        at=answer.at,
    )


def _notice(value: Any, account_id: str) -> Entry | None:
    at, notice_id = moment(part(value, "created_at")), words(value, "id")
    if at is None or not ID.fullmatch(notice_id) or part(value, "type") not in NOTICES:
        return None
    post = _post(part(value, "status"), at, account_id)
    return None if post is None else Entry(notice_id, at, post)


def _status(value: Any, account_id: str) -> Entry | None:
    at = moment(part(value, "created_at"))
    post = None if at is None else _post(value, at, account_id)
    return None if post is None or at is None else Entry(words(value, "id"), at, post)


def _post(status: Any, at: datetime, account_id: str) -> Post | None:
    """Every version of an edited post is stored by itself, and stands where it was edited."""
    post_id, author_id, edited = words(status, "id"), words(status, "account", "id"), words(status, "edited_at")
    at = max(at, moment(edited) or at)
    if not ID.fullmatch(post_id) or not ID.fullmatch(author_id):
        return None
    return Post(
        id=f"{post_id}/{edited[:40]}" if edited else post_id,
        position=MICROSECONDS.at(at),
        author_id=author_id,
        username=words(status, "account", "acct")[:200],
        language=spoken(part(status, "language")),
        raw=json.dumps({"status": status}, separators=(",", ":"), sort_keys=True).encode(),
        envelope={"account": account_id, "created_at": words(status, "created_at")[:40]},
        refused="repost" if isinstance(part(status, "reblog"), dict) else None,
        first=post_id,
    )
