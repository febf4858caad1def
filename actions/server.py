"""The action server: rasa-sdk's web application, on the loopback address, for callers who know the shared secret."""

from __future__ import annotations

import hmac
import socket
from typing import Any

from rasa_sdk.endpoint import create_app  # type: ignore[import-untyped]
from rasa_sdk.executor import ActionExecutor  # type: ignore[import-untyped]
from sanic import Request, Sanic
from sanic.response import HTTPResponse, json

from actions.backoffice.http import HttpBackOffice
from actions.desk import all_actions
from actions.logs import log

BACKOFFICE_SECONDS = 2.0
"""A call to the back office; Rasa waits 3 s for the whole action."""


def make_app(backoffice: HttpBackOffice, secret: str) -> Sanic[Any, Any]:
    """The application with all actions. GET /health is open, everything else needs the secret."""
    executor = ActionExecutor()
    for action in all_actions(backoffice):
        executor.register_action(action)
    app: Sanic[Any, Any] = create_app(executor, cors_origins=[])
    app.config.ACCESS_LOG = False
    wanted = f"Bearer {secret}".encode()

    async def check(request: Request) -> HTTPResponse | None:
        given = request.headers.get("authorization", "").encode()
        if request.path == "/health" or hmac.compare_digest(given, wanted):
            return None
        return json({"error": "The shared secret is missing or wrong."}, status=401)

    async def close(_app: Sanic[Any, Any]) -> None:
        await backoffice.aclose()

    async def announce(_app: Sanic[Any, Any]) -> None:
        log("info", "actions are ready")

    app.register_middleware(check, "request")
    app.register_listener(announce, "after_server_start")
    app.register_listener(close, "after_server_stop")
    return app


def serve(listener: socket.socket, backoffice_url: str, backoffice_token: str, secret: str) -> None:
    """Serves on a bound socket until SIGTERM or Ctrl-C."""
    backoffice = HttpBackOffice(backoffice_url, backoffice_token, BACKOFFICE_SECONDS)
    app = make_app(backoffice, secret)
    app.run(sock=listener, single_process=True, access_log=False, motd=False)
