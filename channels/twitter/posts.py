"""A page of the API as posts: whose each is, and the JSON that is stored of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from channels.contract import spoken
from channels.monitor.faults import Unclear
from channels.monitor.parts import entries, part, whole, words
from channels.monitor.posts import Page, Post

if TYPE_CHECKING:
    from channels.twitter.api import Answer


def page_of(answer: Answer) -> Page:
    """An entry that cannot be read does not hide the others. Raises Unclear when it is no page: then it would be taken
    for an empty one, and what it should have held be lost."""
    body = answer.body
    count, found = part(body, "meta", "result_count"), body.get("data", [])
    if not isinstance(found, list) or count != len(found):
        raise Unclear
    posts = posts_of(body, found)
    token = part(body, "meta", "next_token")
    return Page(
        posts=posts,
        token=token if isinstance(token, str) and token else None,
        odd=len(found) - len(posts),
        quota=answer.quota,
        at=answer.at,
    )


def posts_of(body: Mapping[str, Any], found: list[Any]) -> list[Post]:
    """What can be read of `found`, the posts in an answer with this body."""
    users, media = _users(body), _media(body)
    return [post for entry in found if (post := _post(entry, users, media)) is not None]


def history_of(entry: Any) -> list[str]:
    """The ids of all versions of a post, the oldest first."""
    return [each for each in entries(entry, "edit_history_tweet_ids") if whole(each) is not None]


def streamed(entry: Any, beside: Mapping[str, Any]) -> Post | None:
    """A post of the stream; `beside` is the line that holds it. None without id or author."""
    return _post(entry, _users(beside), _media(beside))


def post_of(kept: Mapping[str, Any], stored: Mapping[str, Any]) -> Post | None:
    """`kept`: a post, its author and its media, as v2 tells them; `stored`: what is stored. None without id or
    author."""
    entry, user = part(kept, "post"), part(kept, "author")
    post_id, author = whole(part(entry, "id")), whole(part(entry, "author_id"))
    if post_id is None or author is None:
        return None
    repost = any(part(each, "type") == "retweeted" for each in entries(entry, "referenced_tweets"))
    return Post(
        id=str(post_id),
        position=post_id,
        author_id=str(author),
        username=words(user, "username")[:50],
        language=spoken(part(entry, "lang")),
        raw=json.dumps(stored, separators=(",", ":"), sort_keys=True).encode(),
        envelope={"created_at": words(entry, "created_at")[:40]},
        refused="repost" if repost else None,
        first=next(iter(history_of(entry)), ""),
    )


def _post(entry: Any, users: Mapping[Any, Any], media: Mapping[Any, Any]) -> Post | None:
    author_id = str(whole(part(entry, "author_id")))
    shown = [media[key] for key in entries(entry, "attachments", "media_keys") if isinstance(key, str) and key in media]
    kept = {"post": entry, "author": users.get(author_id) or {"id": author_id}, "media": shown}
    return post_of(kept, kept)


def _users(body: Mapping[str, Any]) -> Mapping[Any, Any]:
    return {part(user, "id"): user for user in _included(body, "users")}


def _media(body: Mapping[str, Any]) -> Mapping[Any, Any]:
    return {part(item, "media_key"): item for item in _included(body, "media")}


def _included(body: Mapping[str, Any], name: str) -> list[Any]:
    """Only entries with a key that can be looked up."""
    key = "media_key" if name == "media" else "id"
    return [each for each in entries(body, "includes", name) if isinstance(part(each, key), str)]
