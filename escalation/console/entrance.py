"""The log-in page, logging in and logging out."""

from __future__ import annotations

import secrets

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from escalation.console.auth import WINDOW, LogIn, Throttled
from escalation.console.doors import HOME, LOG_IN, safe_next
from escalation.console.forms import Form, trusted_form
from escalation.console.sessions import Sessions, Visitor
from escalation.web.errors import Refused
from escalation.web.pages import Pages


class Entrance:
    def __init__(self, pages: Pages, sessions: Sessions, log_in: LogIn, public_url: str) -> None:
        self._pages = pages
        self._sessions = sessions
        self._log_in = log_in
        self._public_url = public_url

    async def show(self, request: Request) -> Response:
        asked = safe_next(request.query_params.get("next", HOME))
        if await self._sessions.visitor(request) is not None:
            return RedirectResponse(asked, status_code=303)
        return self._form(request, asked)

    async def enter(self, request: Request) -> Response:
        """The form's token is held in a cookie of its own, because there is no session yet (log-in CSRF)."""
        cookies = self._sessions.cookies
        form = await trusted_form(request, request.cookies.get(cookies.log_in, ""), self._public_url)
        asked = safe_next(form.get("next", HOME))
        try:
            agent = await self._log_in(form.get("login", ""), form.get("password", ""))
        except Throttled as error:
            waiting = {"retry-after": str(int(WINDOW.total_seconds()))}
            raise Refused(429, "console.login_throttled", waiting) from error
        if agent is None:
            return self._form(request, asked, wrong=True)
        response = RedirectResponse(asked, status_code=303)
        await self._sessions.start(request, response, agent.id)
        cookies.drop(response, cookies.log_in)
        return response

    async def leave(self, request: Request, visitor: Visitor, form: Form) -> Response:
        response = RedirectResponse(LOG_IN, status_code=303)
        await self._sessions.end(request, response)
        return response

    def _form(self, request: Request, asked: str, *, wrong: bool = False) -> Response:
        # Kept when there is one already, so that a second tab does not spoil the first.
        token = request.cookies.get(self._sessions.cookies.log_in) or secrets.token_urlsafe(32)
        page = self._pages.show(
            request, "login.html", status=401 if wrong else 200, csrf=token, next_path=asked, wrong=wrong
        )
        self._sessions.cookies.set(page, self._sessions.cookies.log_in, token)
        return page
