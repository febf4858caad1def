"""Looks for what no delivery brought: the conversations and the comments of the page, newest first.

`Looks.messages` and `Looks.comments` fetch a page of what is newer than a position (`channels/monitor/feed.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from channels.facebook.events import MOST_NAME_CHARACTERS, packed
from channels.facebook.graph import Answer, Graph
from channels.facebook.ids import ident, name_of, person
from channels.monitor.faults import Unclear
from channels.monitor.marks import Marks
from channels.monitor.missed import GRACE
from channels.monitor.pace import ServerClock
from channels.monitor.parts import entries, moment, part, words
from channels.monitor.positions import MICROSECONDS
from channels.monitor.posts import Page, Post

MESSAGES = "messages"
COMMENTS = "comments"
GIVEN_OUT = 20
"""Of a conversation, only the newest twenty messages are given out (Graph API, "Conversations")."""
MESSAGE_FIELDS = (
    "id,created_time,from,message,sticker,attachments{id,mime_type,name,size,image_data,video_data,file_url}"
)
COMMENT_FIELDS = "id,created_time,from,message,attachment,parent{id}"
COMMENTS_TOGETHER = 100
MOST_COMMENT_PAGES = 20
"""Of one post in one look."""
POST_AGE = timedelta(days=90)
"""Comments on older posts come by the webhook alone."""


class Looks:
    def __init__(self, graph: Graph, page_id: str, marks: Marks, clock: ServerClock) -> None:
        self._graph = graph
        self._page_id = page_id
        self._marks = marks
        self._clock = clock
        self._missing: set[tuple[str, int]] = set()
        """Gaps that are written down, so that a look that is taken up again does not write them twice."""

    async def messages(self, since: int, token: str | None) -> Page:
        """Raises Fault or OSError."""
        fields = f"id,updated_time,messages.limit({GIVEN_OUT}){{{MESSAGE_FIELDS}}}"
        answer = await self._asked("conversations", token, platform="messenger", fields=fields, limit="25")
        after = MICROSECONDS.time(since)
        posts: list[Post] = []
        odd, older = 0, False
        for conversation in _listed(answer):
            updated = moment(part(conversation, "updated_time"))
            older = older or (updated is not None and updated < after)
            found = entries(conversation, "messages", "data")
            made = [self._message(each) for each in found]
            odd += made.count(None)
            times = [post.position for post in made if post is not None]
            if (
                len(found) >= GIVEN_OUT
                and times
                and min(times) > since
                and part(conversation, "messages", "paging", "next")
            ):
                await self._lost(MESSAGES, since, min(times))
            posts += self._wanted(made, since)
        return self._page(answer, posts, odd, end=older)

    async def comments(self, since: int, token: str | None) -> Page:
        """Raises Fault or OSError."""
        listed = f"comments.order(reverse_chronological).filter(stream).limit({COMMENTS_TOGETHER}){{{COMMENT_FIELDS}}}"
        fields = f"id,created_time,updated_time,from,message,full_picture,{listed}"
        answer = await self._asked("feed", token, fields=fields, limit="25")
        posts: list[Post] = []
        odd, older = 0, False
        for post in _listed(answer):
            created = moment(part(post, "created_time"))
            older = older or (created is not None and created < self._clock() - POST_AGE)
            visitor = (
                {name: value for name, value in post.items() if name != "comments"} if isinstance(post, dict) else post
            )
            found = [visitor, *await self._comments_of(post, since)]
            made = [self._comment(each) for each in found]
            odd += made.count(None)
            posts += self._wanted(made, since)
        return self._page(answer, posts, odd, end=older)

    async def _comments_of(self, post: Any, since: int) -> list[Any]:
        """All that are newer than `since`; what lies beyond `MOST_COMMENT_PAGES` is written down as missing."""
        found = entries(post, "comments", "data")
        after = part(post, "comments", "paging", "cursors", "after")
        more, post_id = part(post, "comments", "paging", "next"), ident(part(post, "id"))
        for _ in range(MOST_COMMENT_PAGES):
            if not more or post_id is None or not isinstance(after, str) or _oldest(found) <= since:
                return found
            answer = await self._graph.get(
                f"{post_id}/comments",
                fields=COMMENT_FIELDS,
                order="reverse_chronological",
                filter="stream",
                limit=str(COMMENTS_TOGETHER),
                after=after,
            )
            found = [*found, *_listed(answer)]
            more, after = part(answer.body, "paging", "next"), part(answer.body, "paging", "cursors", "after")
        if more and _oldest(found) > since:
            await self._lost(COMMENTS, since, _oldest(found))
        return found

    async def _asked(self, edge: str, token: str | None, **parameters: str) -> Answer:
        more = {} if token is None else {"after": token}
        return await self._graph.get(f"{self._page_id}/{edge}", **parameters, **more)

    def _page(self, answer: Answer, posts: list[Post], odd: int, *, end: bool) -> Page:
        after = part(answer.body, "paging", "cursors", "after")
        more = not end and part(answer.body, "paging", "next") and isinstance(after, str)
        return Page(posts=posts, token=after if more else None, odd=odd, quota=answer.quota, at=answer.at)

    def _wanted(self, made: Sequence[Post | None], since: int) -> Iterator[Post]:
        """What is very new is left to the webhook."""
        fresh = MICROSECONDS.at(self._clock() - GRACE)
        return (post for post in made if post is not None and since < post.position <= fresh)

    def _message(self, found: Any) -> Post | None:
        return self._post(found, "message", "")

    def _comment(self, found: Any) -> Post | None:
        return self._post(found, "comment", ":add")

    def _post(self, found: Any, kind: str, verb: str) -> Post | None:
        own_id, at = name_of(part(found, "id")), moment(part(found, "created_time"))
        author = person(part(found, "from", "id"))
        if own_id is None or at is None or (author is None and kind == "message"):
            return None
        return Post(
            id=f"{self._page_id}:{own_id}{verb}",
            position=MICROSECONDS.at(at),
            author_id=author or f"unknown-{own_id}",
            username=words(found, "from", "name")[:MOST_NAME_CHARACTERS] if kind == "comment" else "",
            language=None,
            raw=packed(kind, found=found),
            envelope={"at": at.isoformat()},
        )

    async def _lost(self, feed: str, since: int, oldest: int) -> None:
        if (feed, oldest) not in self._missing:
            self._missing.add((feed, oldest))
            await self._marks.missing(feed, since, oldest)


def _listed(answer: Answer) -> list[Any]:
    """Raises Unclear when it is no list: it would be taken for an empty one, and what it should have held be lost."""
    found = part(answer.body, "data")
    if not isinstance(found, list):
        raise Unclear
    return found


def _oldest(found: Sequence[Any]) -> int:
    times: list[datetime] = [at for each in found if (at := moment(part(each, "created_time"))) is not None]
    return MICROSECONDS.at(min(times)) if times else 0
