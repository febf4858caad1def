"""Pages of notices and of search hits, the newest first, as posts: whose each is, and the JSON that is stored of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from channels.bluesky.api import REASONS, Answer
from channels.contract import spoken
from channels.monitor.faults import Unclear
from channels.monitor.parts import entries, moment, part, words
from channels.monitor.positions import MICROSECONDS
from channels.monitor.posts import Page, Post

DID = re.compile(r"did:[a-z]+:[A-Za-z0-9._:%-]{1,150}")
POST = re.compile(r"at://(did:[a-z]+:[A-Za-z0-9._:%-]{1,150})/app\.bsky\.feed\.post/([A-Za-z0-9._~:-]{1,50})")
"""Of a post's address (https://atproto.com/specs/at-uri-scheme): whose, and its key."""
CID = re.compile(r"[A-Za-z0-9]{8,128}")
MOST_PAGES = 100
"""Of one search; servers page no farther than some 10,000 posts."""


@dataclass(frozen=True)
class Entry:
    """`at` is what the page is ordered by."""

    at: datetime
    post: Post


def notices_page(answer: Answer, since: int, token: str | None, own_did: str) -> Page:
    return _page(answer, "notifications", _notice, since, token, own_did)


def hits_page(answer: Answer, since: int, token: str | None, own_did: str) -> Page:
    return _page(answer, "posts", _hit, since, token, own_did)


def found_posts(answer: Answer, own_did: str) -> list[Post]:
    """Posts that were asked for by their addresses. Raises Unclear when there is no list of them."""
    found = part(answer.body, "posts")
    if not isinstance(found, list):
        raise Unclear
    return [entry.post for each in found if (entry := _hit(each, own_did)) is not None]


def cursor_of(token: str | None) -> str | None:
    """A token is "number of pages had|the server's cursor"."""
    return None if token is None else token.partition("|")[2]


def _page(
    answer: Answer,
    name: str,
    read: Callable[[Any, str], Entry | None],
    since: int,
    token: str | None,
    own_did: str,
) -> Page:
    """An entry that cannot be read does not hide the others. Raises Unclear when it is no page, or nothing on it can be
    read: it would be taken for the last one, and what came before it be lost."""
    found = part(answer.body, name)
    if not isinstance(found, list):
        raise Unclear
    good = [entry for each in found if (entry := read(each, own_did)) is not None]
    if found and not good:
        raise Unclear
    oldest = min((MICROSECONDS.at(entry.at) for entry in good), default=None)
    following = _following(answer, token) if oldest is None or oldest > since else None
    stuck = following is not None and (following == token or int(following.partition("|")[0]) >= MOST_PAGES)
    return Page(
        posts=[entry.post for entry in good if entry.post.position > since],
        token=None if stuck else following,
        odd=len(found) - len(good),
        unreached=oldest if stuck else None,
        quota=answer.quota,
        at=answer.at,
    )


def _following(answer: Answer, token: str | None) -> str | None:
    cursor = part(answer.body, "cursor")
    if not isinstance(cursor, str) or not cursor:
        return None
    number, _, before = (token or "0|").partition("|")
    return token if cursor == before else f"{int(number) + 1}|{cursor}"


def _notice(value: Any, own_did: str) -> Entry | None:
    """A notice has the time at which the network heard of the post; what the post says of itself may be anything."""
    at = moment(part(value, "indexedAt"))
    if at is None or part(value, "reason") not in REASONS:
        return None
    post = _post(value, at, own_did)
    return None if post is None else Entry(at, post)


def _hit(value: Any, own_did: str) -> Entry | None:
    """Hits are ordered by the earlier of both times."""
    indexed = moment(part(value, "indexedAt"))
    if indexed is None:
        return None
    at = min(indexed, moment(part(value, "record", "createdAt")) or indexed)
    post = _post(value, at, own_did)
    return None if post is None else Entry(at, post)


def _post(value: Any, at: datetime, own_did: str) -> Post | None:
    uri, author_id = words(value, "uri"), words(value, "author", "did")
    found = POST.fullmatch(uri)
    if found is None or found.group(1) != author_id or not CID.fullmatch(words(value, "cid")):
        return None
    kept = {name: value.get(name) for name in ("uri", "cid", "author", "record", "labels", "indexedAt", "reason")}
    languages = [spoken(each) for each in entries(value, "record", "langs")]
    return Post(
        id=uri,
        position=MICROSECONDS.at(at),
        author_id=author_id,
        username=words(value, "author", "handle")[:253],
        language=languages[0] if len(languages) == 1 else None,
        raw=json.dumps({"post": kept}, separators=(",", ":"), sort_keys=True).encode(),
        envelope={"account": own_did, "created_at": words(value, "record", "createdAt")[:40]},
        version=words(value, "cid"),
    )
