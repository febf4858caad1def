"""Looks again at posts by their ids: twenty at once where the server can (Mastodon 4.3), else one by one.

A list leaves out what the server does not show us, so each that is missing is asked for by itself before it counts as
gone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from channels.mastodon.pages import status_of
from channels.monitor.faults import Forbidden, NoSuchAddress, NotFound, NotTaken, Unclear
from channels.monitor.looking_again import Gone, Looked
from channels.monitor.parts import words
from channels.monitor.seen import DELETED, Seen

if TYPE_CHECKING:
    from channels.mastodon.api import Answer, Api

TOGETHER = 20
"""The most that one call takes."""


class Looking:
    def __init__(self, api: Callable[[], Api], account_id: Callable[[], str]) -> None:
        self._api = api
        self._account_id = account_id
        self._one_by_one = False
        """The server takes no list of ids."""

    async def ask(self, batch: Sequence[Seen]) -> Looked:
        """Raises Fault."""
        listed, last = await self._listed([seen.first for seen in batch])
        found, gone = {words(each, "id"): each for each in listed}, {}
        for seen in batch:
            if seen.first in found:
                continue
            try:
                last = await self._api().status(seen.first)
            except NotFound as fault:
                gone[seen.first] = Gone(word=DELETED, said=fault.name)
            except (Forbidden, NotTaken):  # of this one nothing is known; the others are not to wait for it
                continue
            else:
                found[words(last.body, "id")] = last.body
        posts = [post for each in found.values() if (post := status_of(each, self._account_id())) is not None]
        if last is None:
            return Looked(posts=posts, gone=gone)
        return Looked(posts=posts, gone=gone, quota=last.quota, at=last.at)

    async def _listed(self, ids: Sequence[str]) -> tuple[list[Any], Answer | None]:
        """None of them when the server refuses a list: for good when it has no such address, else for this once.
        Raises Fault."""
        if self._one_by_one:
            return [], None
        try:
            answer = await self._api().statuses(ids)
        except (Forbidden, NotTaken) as fault:
            self._one_by_one = isinstance(fault, NotFound | NoSuchAddress)
            return [], None
        if not isinstance(answer.body, list):
            raise Unclear
        return answer.body, answer
