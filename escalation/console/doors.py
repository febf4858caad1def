"""Lets requests in: pages for signed-in agents, forms that also prove where they come from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import quote, urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from channels.web import body as web_body
from channels.web.body import BadBody, Body, TooLarge
from escalation.console.forms import Form, insist_on_origin, insist_on_token, trusted_form
from escalation.console.sessions import Sessions, Visitor
from escalation.web.errors import Refused

HOME = "/console/"
LOG_IN = "/console/login"
MAX_ID = 2**63 - 1

type Endpoint = Callable[[Request], Awaitable[Response]]
type Reader = Callable[[Request, Visitor], Awaitable[Response]]
type Writer = Callable[[Request, Visitor, Form], Awaitable[Response]]
type Taker = Callable[[Request, Visitor, Body], Awaitable[Response]]


class Doors:
    def __init__(self, sessions: Sessions, public_url: str) -> None:
        self._sessions = sessions
        self._public_url = public_url

    def page(self, show: Reader) -> Endpoint:
        """A page an agent opens; strangers are sent to the log-in and come back afterwards."""

        async def endpoint(request: Request) -> Response:
            visitor = await self._sessions.visitor(request)
            if visitor is None:
                return _to_log_in(request)
            return await show(request, visitor)

        return endpoint

    def part(self, show: Reader) -> Endpoint:
        """Something a page asks for by itself. It does not count as the agent being there."""

        async def endpoint(request: Request) -> Response:
            visitor = await self._sessions.visitor(request, active=False)
            if visitor is None:
                raise _signed_out(request)
            return await show(request, visitor)

        return endpoint

    def form(self, act: Writer, *, active: bool = True) -> Endpoint:
        """Something that changes the desk: only for a signed-in agent and from our own page. `active=False`: the
        page does it by itself, which does not count as the agent being there."""

        async def endpoint(request: Request) -> Response:
            visitor = await self._sessions.visitor(request, active=active)
            if visitor is None:
                raise _signed_out(request)
            form = await trusted_form(request, visitor.csrf, self._public_url)
            return await act(request, visitor, form)

        return endpoint

    def files(self, act: Taker, max_bytes: int) -> Endpoint:
        """A form that brings files, at most `max_bytes` in all; guarded like any other."""

        async def endpoint(request: Request) -> Response:
            # The page that follows notes that the agent is there: where nothing can be stored, they need not wait for
            # that as well before they hear it.
            visitor = await self._sessions.visitor(request, active=False)
            if visitor is None:
                raise _signed_out(request)
            if web_body.kind_of(request) not in web_body.KINDS:
                raise Refused(403, "web.error_403")
            insist_on_origin(request, self._public_url)
            try:
                async with await web_body.read(request, max_bytes) as body:
                    insist_on_token(body.fields.get("csrf", ""), visitor.csrf)
                    return await act(request, visitor, body)
            except BadBody as error:
                raise Refused(400, "web.error_400") from error
            except TooLarge as error:
                raise Refused(413, "web.error_413") from error
            except OSError as error:
                raise Refused(503, "web.error_503") from error
            except ClientDisconnect:
                return Response(status_code=499)  # nobody hears it

        return endpoint


def safe_next(path: str) -> str:
    """Where to go after the log-in: a page of the console, never another site ("//evil", "/\\evil")."""
    return path if path.startswith(HOME) and "\\" not in path and path.isprintable() else HOME


def row_id(request: Request) -> int:
    """The {id} of the path. Raises Refused 404 on a number that no row can have."""
    asked: int = request.path_params["id"]
    if asked > MAX_ID:
        raise Refused(404, "web.error_404")
    return asked


def _signed_out(request: Request) -> Refused:
    """htmx is told to take the whole page to the log-in and, after that, back to where the agent was."""
    page = urlsplit(request.headers.get("hx-current-url", "")).path
    return Refused(401, "web.error_401", {"hx-redirect": f"{LOG_IN}?next={quote(safe_next(page), safe='')}"})


def _to_log_in(request: Request) -> Response:
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"{LOG_IN}?next={quote(asked, safe='')}", status_code=303)
