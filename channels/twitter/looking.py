"""Looks again at posts by their ids (X API v2, "Post lookup"): every edit has an id of its own, and what is gone is
told as an error of its kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from channels.monitor.faults import Unclear
from channels.monitor.looking_again import Gone, Looked
from channels.monitor.parts import entries, part, whole, words
from channels.monitor.posts import Post
from channels.monitor.seen import DELETED, HIDDEN, Seen
from channels.twitter.posts import history_of, posts_of

if TYPE_CHECKING:
    from channels.twitter.api import Answer, Api

TOGETHER = 100
"""The most that one call takes."""
_PROBLEMS = {"resource-not-found": DELETED, "not-authorized-for-resource": HIDDEN}
"""The ends of the errors' types; all others may pass."""


class Looking:
    def __init__(self, api: Callable[[], Api]) -> None:
        self._api = api

    async def ask(self, batch: Sequence[Seen]) -> Looked:
        """Asks for the newest version that is known of each, then for those that came after it. Raises Fault."""
        asked = {_newest(seen): seen for seen in batch}
        last = answer = await self._api().posts(list(asked))
        found = _listed(answer)
        later = [each for post in found for each in _later(post)]
        posts: list[Post] = []
        for begin in range(0, len(later), TOGETHER):
            last = await self._api().posts(later[begin : begin + TOGETHER])
            posts += posts_of(last.body, _listed(last))
        return Looked(posts=posts, gone=_gone(answer.body, found, asked), quota=last.quota, at=last.at)


def _newest(seen: Seen) -> str:
    return str(max((number for version in seen.versions if (number := whole(version)) is not None), default=seen.first))


def _later(post: Any) -> list[str]:
    """Of the versions of a post, those after it."""
    history, own = history_of(post), part(post, "id")
    return history[history.index(own) + 1 :] if own in history else []


def _listed(answer: Answer) -> list[Any]:
    """Raises Unclear when the answer says nothing of any post."""
    found, errors = part(answer.body, "data"), part(answer.body, "errors")
    if not isinstance(found, list) and not isinstance(errors, list):
        raise Unclear
    return found if isinstance(found, list) else []


def _gone(body: Mapping[str, Any], found: Sequence[Any], asked: Mapping[str, Seen]) -> dict[str, Gone]:
    """An error may also tell of an author or a quoted post; these are not what was asked for by `ids`."""
    shown = {part(post, "id") for post in found}
    gone = {}
    for error in entries(body, "errors"):
        post_id, word = words(error, "value"), _PROBLEMS.get(words(error, "type").rpartition("/")[2])
        if word and part(error, "parameter") == "ids" and post_id in asked and post_id not in shown:
            gone[asked[post_id].first] = Gone(word=word, said=error)
    return gone
