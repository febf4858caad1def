"""An answer as a letter to be printed, and the deed that says that it was told or posted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from escalation.by_hand import WAITING, How, NotWaiting, Telling
from escalation.confirming import repository as messages
from escalation.console.desk import ConsoleDesk
from escalation.console.doors import row_id
from escalation.console.forms import Form
from escalation.console.repository import by_hand
from escalation.console.repository.by_hand import Answer
from escalation.console.sessions import Visitor
from escalation.web import moments
from escalation.web.errors import Refused
from escalation.web.pages import HTML_TAGS, Pages

KILOBYTE = 1024


class LetterPage:
    def __init__(self, desk: ConsoleDesk, pages: Pages) -> None:
        self._desk = desk
        self._pages = pages
        self._telling = Telling(store=desk.store, clock=desk.clock, hub=desk.hub)

    async def show(self, request: Request, visitor: Visitor) -> Response:
        """Looking at it, and printing it, settles nothing."""
        outbox_id = row_id(request)

        def read(connection: Connection) -> tuple[Answer | None, Sequence[str], Sequence[str]]:
            answer = by_hand.answer(connection, outbox_id)
            if answer is None or not answer.acknowledges:
                return answer, (), ()
            told = [each.text for each in messages.told(connection, answer.conversation_id)]
            sent = messages.sent(connection, answer.conversation_id)
            return answer, told, [f"{file.filename} ({-(-file.size // KILOBYTE)} KB)" for file in sent]

        answer, told, files = await self._desk.store.read(read)
        if answer is None or not self._desk.capabilities(answer.channel).keyed_in:
            raise Refused(404, "web.error_404")
        return self._pages.show(
            request,
            "letter.html",
            visitor=visitor,
            answer=answer,
            told=told,
            files=files,
            waiting=answer.state == WAITING,
            **self._letter(answer),
        )

    async def settle(self, request: Request, visitor: Visitor, form: Form) -> Response:
        how = form.get("how", "")
        if how not in list(How):
            raise Refused(422, "web.error_422")
        try:
            conversation_id = await self._telling.settle(visitor.agent, row_id(request), How(how))
        except NotWaiting as error:
            raise Refused(409, "record.not_waiting") from error
        return RedirectResponse(f"/console/c/{conversation_id}", status_code=303)

    def _letter(self, answer: Answer) -> dict[str, Any]:
        """What stands around the words, in the language of who gets them."""
        language = answer.language

        def say(key: str, **values: str) -> str:
            return self._pages.say(f"record.letter_{key}", language, **values)

        exchange = self._desk.brands[language]
        return {
            "letter_lang": HTML_TAGS[language],
            "exchange": exchange,
            "date": moments.day(answer.sent_at or self._desk.clock(), language),
            "subject": say("subject_case", number=answer.number) if answer.number else say("subject"),
            "closing": say("closing", exchange=exchange),
            "copy_heading": say("copy"),
            "files_heading": say("files"),
        }
