"""A page of the API as posts: whose each is, and the JSON that is stored of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from channels.twitter.faults import Unclear
from channels.twitter.ids import whole

_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Control characters except tab, line feed and carriage return (PostgreSQL takes no NUL), and halves of characters."""


@dataclass(frozen=True, kw_only=True)
class Post:
    id: int
    author_id: str
    username: str
    language: str | None
    """X's guess, if it is one of our languages."""
    created_at: str
    repost: bool
    raw: bytes


@dataclass(frozen=True, kw_only=True)
class Page:
    posts: list[Post]
    token: str | None
    """Of the next, older page; None at the end."""
    odd: int
    """Entries that have no id or no author."""


def page_of(body: Mapping[str, Any]) -> Page:
    """An entry that cannot be read does not hide the others. Raises Unclear when it is no page: then it would be taken
    for an empty one, and what it should have held be lost."""
    count, found = part(body, "meta", "result_count"), body.get("data", [])
    if not isinstance(found, list) or count != len(found):
        raise Unclear
    users = {part(user, "id"): user for user in _included(body, "users")}
    media = {part(item, "media_key"): item for item in _included(body, "media")}
    posts = [post for entry in found if (post := _post(entry, users, media)) is not None]
    token = part(body, "meta", "next_token")
    return Page(posts=posts, token=token if isinstance(token, str) and token else None, odd=len(found) - len(posts))


def part(value: Any, *path: str) -> Any:
    """What lies below `path`; None where there is nothing."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def entries(value: Any, *path: str) -> list[Any]:
    """The list below `path`; empty where there is none."""
    found = part(value, *path)
    return found if isinstance(found, list) else []


def clean(text: str) -> str:
    """Fit for a database and a page."""
    return _NOT_TEXT.sub("\ufffd", text).strip()


def spoken(code: Any) -> str | None:
    tag = code.lower().partition("-")[0] if isinstance(code, str) else ""
    return tag if tag in ("en", "zh") else None


def _post(entry: Any, users: Mapping[Any, Any], media: Mapping[Any, Any]) -> Post | None:
    post_id, author = whole(part(entry, "id")), whole(part(entry, "author_id"))
    if post_id is None or author is None:
        return None
    author_id = str(author)
    user = users.get(author_id)
    username, created_at = part(user, "username"), part(entry, "created_at")
    shown = [media[key] for key in entries(entry, "attachments", "media_keys") if isinstance(key, str) and key in media]
    kept = {"post": entry, "author": user or {"id": author_id}, "media": shown}
    return Post(
        id=post_id,
        author_id=author_id,
        username=clean(username)[:50] if isinstance(username, str) else "",
        language=spoken(part(entry, "lang")),
        created_at=clean(created_at)[:40] if isinstance(created_at, str) else "",
        repost=any(part(each, "type") == "retweeted" for each in entries(entry, "referenced_tweets")),
        raw=json.dumps(kept, separators=(",", ":"), sort_keys=True).encode(),
    )


def _included(body: Mapping[str, Any], name: str) -> list[Any]:
    """Only entries with a key that can be looked up."""
    key = "media_key" if name == "media" else "id"
    return [each for each in entries(body, "includes", name) if isinstance(part(each, key), str)]
