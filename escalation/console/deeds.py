"""What an agent does: take over, reply, note, hand back, resolve, open or join a case. Every deed is a posted form."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.store.store import Store
from bot.understanding.labels import CLASSES
from bot.understanding.secrets import redact
from escalation.console.conversation_page import ConversationPage
from escalation.console.doors import row_id
from escalation.console.forms import Form
from escalation.console.repository import conversation as conversations
from escalation.console.repository import people
from escalation.console.sessions import Visitor
from escalation.correcting import Contradiction, NothingToTeach, Taught
from escalation.handling import AlreadyTaken, Handling, NobodyToAsk, NoSuchCase, NotYours, TooLong
from escalation.web.errors import Refused

type Deed = Callable[[int, Visitor, Form], Awaitable[object]]
DONE = {"hx-trigger": "desk:done"}
"""Tells the page's script that the words in this form were taken, so that it empties the field."""
MAX_NONCE_CHARACTERS = 32
"""The nonce becomes part of a column of 80 characters, together with two ids."""
_ROW_ID = re.compile(r"[0-9]{1,18}")


class Deeds:
    def __init__(self, store: Store, handling: Handling, page: ConversationPage) -> None:
        self._store = store
        self._handling = handling
        self._page = page

    async def take_over(self, request: Request, visitor: Visitor, form: Form) -> Response:
        return await self._do(request, visitor, form, self._take_over)

    async def reply(self, request: Request, visitor: Visitor, form: Form) -> Response:
        return await self._do(request, visitor, form, self._reply)

    async def note(self, request: Request, visitor: Visitor, form: Form) -> Response:
        return await self._do(request, visitor, form, self._note)

    async def hand_back(self, request: Request, visitor: Visitor, form: Form) -> Response:
        return await self._do(request, visitor, form, self._hand_back)

    async def ask_proof(self, request: Request, visitor: Visitor, form: Form) -> Response:
        return await self._do(request, visitor, form, self._ask_proof)

    async def resolve(self, request: Request, visitor: Visitor, form: Form) -> Response:
        return await self._do(request, visitor, form, self._resolve)

    async def open_case(self, request: Request, visitor: Visitor, form: Form) -> Response:
        return await self._do(request, visitor, form, self._open_case)

    async def join_case(self, request: Request, visitor: Visitor, form: Form) -> Response:
        return await self._do(request, visitor, form, self._join_case)

    async def teach(self, request: Request, visitor: Visitor, form: Form) -> Response:
        return await self._do(request, visitor, form, self._teach)

    async def _do(self, request: Request, visitor: Visitor, form: Form, deed: Deed) -> Response:
        conversation_id = row_id(request)
        if await self._store.read(lambda connection: conversations.find(connection, conversation_id)) is None:
            raise Refused(404, "web.error_404")
        try:
            await deed(conversation_id, visitor, form)
        except AlreadyTaken as error:
            raise Refused(409, "console.already_taken", name=await self._name(error.by)) from error
        except NotYours as error:
            raise Refused(409, "console.not_yours") from error
        if request.headers.get("hx-request"):
            response = await self._page.after_deed(request, visitor)
            response.headers.update(DONE)
            return response
        return RedirectResponse(f"/console/c/{conversation_id}", status_code=303)

    async def _take_over(self, conversation_id: int, visitor: Visitor, form: Form) -> None:
        await self._handling.take_over(visitor.agent, conversation_id)

    async def _reply(self, conversation_id: int, visitor: Visitor, form: Form) -> None:
        nonce = form.get("nonce", "")
        if not nonce or len(nonce) > MAX_NONCE_CHARACTERS:
            raise Refused(422, "web.error_422")
        text = _without_secrets(form)
        try:
            await self._handling.reply(visitor.agent, conversation_id, text, nonce)
        except TooLong as error:
            raise Refused(422, "console.reply_too_long", limit=f"{error.limit:,}") from error
        except ValueError as error:
            raise Refused(422, "console.text_length") from error

    async def _note(self, conversation_id: int, visitor: Visitor, form: Form) -> None:
        text = _without_secrets(form)
        try:
            await self._handling.add_note(visitor.agent, conversation_id, text)
        except ValueError as error:
            raise Refused(422, "console.text_length") from error

    async def _hand_back(self, conversation_id: int, visitor: Visitor, form: Form) -> None:
        await self._handling.hand_back(visitor.agent, conversation_id)

    async def _ask_proof(self, conversation_id: int, visitor: Visitor, form: Form) -> None:
        try:
            await self._handling.ask_proof(visitor.agent, conversation_id)
        except NobodyToAsk as error:
            raise Refused(409, "console.nobody_to_ask") from error

    async def _resolve(self, conversation_id: int, visitor: Visitor, form: Form) -> None:
        await self._handling.resolve(visitor.agent, conversation_id)

    async def _open_case(self, conversation_id: int, visitor: Visitor, form: Form) -> None:
        label, severity = form.get("label", ""), form.get("severity", "")
        if label not in self._page.labels or severity not in self._page.severities:
            raise Refused(422, "web.error_422")
        await self._handling.open_case(visitor.agent, conversation_id, label, severity)

    async def _join_case(self, conversation_id: int, visitor: Visitor, form: Form) -> None:
        try:
            await self._handling.join_case(visitor.agent, conversation_id, form.get("number", ""))
        except NoSuchCase as error:
            raise Refused(422, "console.no_such_case") from error

    async def _teach(self, conversation_id: int, visitor: Visitor, form: Form) -> None:
        try:
            await self._handling.teach(visitor.agent, conversation_id, _taught(form))
        except Contradiction as error:
            raise Refused(422, "console.teach_contradiction") from error
        except NothingToTeach as error:
            raise Refused(422, "console.teach_nothing") from error

    async def _name(self, owner: str) -> str:
        names = await self._store.read(people.names)
        return names.get(conversations.owner_id(owner) or 0, owner)


def _taught(form: Form) -> Taught:
    """Raises Refused when the form is not one of ours, Contradiction when it contradicts itself."""
    message, label, escalate = form.get("message", ""), form.get("label", ""), form.get("escalate", "")
    if not _ROW_ID.fullmatch(message) or label not in CLASSES or escalate not in ("yes", "no"):
        raise Refused(422, "web.error_422")
    return Taught(inbox_id=int(message), label=label, escalate=escalate == "yes")


def _without_secrets(form: Form) -> str:
    """What an agent typed. Raises Refused: a secret that somebody told them by other ways belongs in no record."""
    text = form.get("text", "")
    if redact(text).kinds:
        raise Refused(422, "console.secret_in_text")
    return text
