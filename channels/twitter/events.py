"""What X posts to the webhook (account activity), event by event: whose each is, and the JSON that is stored of it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from channels.monitor.parts import entries, part, whole
from channels.monitor.posts import Post
from channels.twitter.delivered import as_polled
from channels.twitter.posts import post_of

CREATED, DELETED = "tweet_create_events", "tweet_delete_events"
_ABOUT_A_DELIVERY = frozenset({"for_user_id", "user_has_blocked", "users", "apps"})


class NoDelivery(Exception):
    """No JSON object. What the check of the webhook signs can be nothing else, so that its signature proves nothing."""


@dataclass(frozen=True)
class Deletion:
    post_id: str
    """Of any version of the post."""
    author_id: str
    said: Any
    """The event, as JSON."""


@dataclass
class Batch:
    """One delivery."""

    is_ours: bool = True
    """Else it is for another account of the same app."""
    posts: list[Post] = field(default_factory=list)
    """The oldest first."""
    deletions: list[Deletion] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    """What is not stored, by reason."""


def batch_of(body: bytes, account_id: str) -> Batch:
    """One bad event does not hold back the others. Raises NoDelivery."""
    try:
        delivery = json.loads(body)
    except (ValueError, RecursionError):
        raise NoDelivery from None
    if not isinstance(delivery, dict):
        raise NoDelivery
    batch = Batch()
    if part(delivery, "for_user_id") != account_id:
        batch.is_ours = False
        batch.ignored["other_account"] += 1
        return batch
    created = [_created(each) for each in entries(delivery, CREATED)]
    deleted = [_deleted(each) for each in entries(delivery, DELETED)]
    batch.posts = sorted((post for post in created if post is not None), key=lambda post: post.position)
    batch.deletions = [deletion for deletion in deleted if deletion is not None]
    batch.ignored["unreadable"] += created.count(None) + deleted.count(None)
    batch.ignored["not_asked_for"] += len(delivery.keys() - _ABOUT_A_DELIVERY - {CREATED, DELETED})
    return batch


def _created(tweet: Any) -> Post | None:
    return post_of(as_polled(tweet), {"delivered": tweet})


def _deleted(event: Any) -> Deletion | None:
    post_id, author_id = whole(part(event, "status", "id")), whole(part(event, "status", "user_id"))
    return None if post_id is None or author_id is None else Deletion(str(post_id), str(author_id), event)
