"""One conversation: transcript, hand-over brief, case, evidence, and what the agent may do."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from bot.clock import Clock
from bot.repository import attention
from bot.store.store import Store
from bot.wording import Wording
from channels.contract import Capabilities
from escalation.console.attachments import shown
from escalation.console.doors import row_id
from escalation.console.repository import conversation as conversations
from escalation.console.repository import people
from escalation.console.repository.conversation import Everything, ShownCase, ShownConversation, owner_id
from escalation.console.sessions import Visitor
from escalation.console.transcript import lines, newest_brief
from escalation.handling import MAX_REPLY_CHARACTERS, MAY_TAKE_FROM_OTHERS, AgentRef
from escalation.links import TrackingLinks
from escalation.web.errors import Refused
from escalation.web.pages import Pages

MOST_TEACHABLE = 20
"""Messages of a conversation among which an agent chooses the one to teach about."""


class ConversationPage:
    def __init__(
        self,
        store: Store,
        pages: Pages,
        words: Wording,
        links: TrackingLinks,
        public_url: str,
        clock: Clock,
        *,
        capabilities: Callable[[str], Capabilities],
        can_prove: bool = False,
        scanning: bool = False,
    ) -> None:
        """`scanning`: a virus scanner is configured."""
        self._store = store
        self._pages = pages
        self._links = links
        self._public_url = public_url
        self._clock = clock
        self._capabilities = capabilities
        self._can_prove = can_prove
        self._scanning = scanning
        self.labels = _codes(words, "console.class_")
        """What a case can be about, and how grave it can be: as many as have words."""
        self.severities = _codes(words, "console.severity_")

    async def show(self, request: Request, visitor: Visitor) -> Response:
        values = await self._values(request, visitor)
        return self._pages.show(
            request,
            "conversation.html",
            nonce=secrets.token_urlsafe(16),
            labels=self.labels,
            severities=self.severities,
            longest=MAX_REPLY_CHARACTERS,
            **_teachable(values["found"]),
            **values,
        )

    async def parts(self, request: Request, visitor: Visitor) -> Response:
        """What changes by itself; the agent's half-written words are not part of it."""
        return self._pages.show(request, "parts.html", fresh_nonce=None, **await self._values(request, visitor))

    async def after_deed(self, request: Request, visitor: Visitor) -> Response:
        """The parts, and a new nonce: the next reply is another one."""
        values = await self._values(request, visitor)
        return self._pages.show(request, "parts.html", fresh_nonce=secrets.token_urlsafe(16), **values)

    async def _values(self, request: Request, visitor: Visitor) -> dict[str, Any]:
        conversation_id = row_id(request)
        found, names = await self._store.read(lambda connection: _read(connection, conversation_id, self._clock()))
        if found is None:
            raise Refused(404, "web.error_404")
        able = self._capabilities(found.conversation.channel)
        files = [shown(row, found.checks.get(row.sha256), scanning=self._scanning) for row in found.evidence]
        return {
            "visitor": visitor,
            "found": found,
            "conversation": found.conversation,
            "case": found.case,
            "lines": lines(found, names, files),
            "files": files,
            "brief": newest_brief(found),
            "mine": found.conversation.owner == visitor.agent.owner,
            "may_take_from_others": visitor.agent.role in MAY_TAKE_FROM_OTHERS,
            "owner_name": _owner_name(found.conversation, names),
            "formatted": able.formatted,
            "can_prove": self._can_prove and not able.keyed_in,
            "keyed_in": able.keyed_in,
            "others": _others(found, names, visitor.agent),
            "user_here": attention.USER in found.present,
            "actor_names": {f"agent:{key}": name for key, name in names.items()},
            "tracking_url": self._tracking_url(found.case),
        }

    def _tracking_url(self, case: ShownCase | None) -> str | None:
        return None if case is None else self._public_url + self._links.path(case.number, case.link_version)


def _read(connection: Connection, conversation_id: int, now: datetime) -> tuple[Everything | None, dict[int, str]]:
    return conversations.everything(connection, conversation_id, now), people.names(connection)


def _teachable(found: Everything) -> dict[str, Any]:
    """The user's newest messages that have words, and which of them tells best what the matter is."""
    teachable = [row for row in found.inbox if row.text.strip()][-MOST_TEACHABLE:]
    opened_by = None if found.case is None else found.case.opened_by_inbox
    longest = max(teachable, key=lambda row: len(row.text), default=None)
    if any(row.id == opened_by for row in teachable):
        return {"teachable": teachable, "telling": opened_by}
    return {"teachable": teachable, "telling": longest and longest.id}


def _others(found: Everything, names: dict[int, str], agent: AgentRef) -> list[str]:
    """Names of the other agents who have the page open."""
    ids = {owner_id(who) for who in found.present if who not in (attention.USER, agent.owner)}
    return sorted(names[agent_id] for agent_id in ids if agent_id in names)


def _owner_name(conversation: ShownConversation, names: dict[int, str]) -> str:
    agent_id = owner_id(conversation.owner)
    return "" if agent_id is None else names.get(agent_id, "")


def _codes(words: Wording, prefix: str) -> list[str]:
    return [key.removeprefix(prefix) for key in words.keys() if key.startswith(prefix)]  # noqa: SIM118
