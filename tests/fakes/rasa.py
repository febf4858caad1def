"""A Rasa that speaks our channel's protocol and can be told how to fail: the real one's ways of failing, on demand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from actions.commands import Command, Say

SECRET = "the shared secret of the tests"
Bot = Callable[[dict[str, Any]], Sequence[Command]]


def greeting(_body: dict[str, Any]) -> Sequence[Command]:
    return (Say(key="greeting"),)


READY = ("well", "old model")


class FakeRasa:
    """`answer` decides what is proposed; `mode` how the answer fails; `seen` is every body received."""

    def __init__(self, answer: Bot = greeting) -> None:
        self.answer = answer
        self.mode = "well"
        self.seen: list[dict[str, Any]] = []
        self.asked = asyncio.Event()
        self.released = asyncio.Event()
        self.app = Starlette(
            routes=[
                Route("/webhooks/redress/turn", self._turn, methods=["POST"]),
                Route("/webhooks/redress/ready", self._ready),
            ]
        )

    async def _ready(self, _request: Request) -> Response:
        fault = "the model cannot be loaded" if self.mode == "old model" else None
        return JSONResponse({"ready": True, "fault": fault}, status_code=200 if self.mode in READY else 503)

    async def _turn(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {SECRET}":
            return JSONResponse({"complete": False, "error": "who are you?"}, status_code=401)
        body = await request.json()
        self.seen.append(body)
        self.asked.set()
        failures: dict[str, Callable[[], Response]] = {
            "error": lambda: JSONResponse({"complete": False}, status_code=500),
            "nothing": lambda: self._complete(body, []),
            "incomplete": lambda: JSONResponse({"complete": False, "inbox_id": body["inbox_id"], "messages": []}),
            "other_message": lambda: self._complete({"inbox_id": -1}, [Say(key="greeting")]),
            "html": lambda: Response("<html>a proxy's own page</html>", media_type="text/html"),
            "not_json": lambda: Response(b"\x00\xff", media_type="application/json"),
            "huge": lambda: Response(b"[" + b" " * 10_000_000, media_type="application/json"),
            "flood": lambda: self._complete(body, [Say(key="greeting")] * 200),
            "unknown_command": lambda: JSONResponse(
                {"complete": True, "inbox_id": body["inbox_id"], "messages": [{"custom": {"command": "drop tables"}}]}
            ),
        }
        if self.mode == "hang":
            await self.released.wait()
        if self.mode in failures:
            return failures[self.mode]()
        return self._complete(body, self.answer(body))

    def _complete(self, body: dict[str, Any], commands: Sequence[Command]) -> Response:
        messages = [{"custom": command.to_json()} for command in commands]
        return JSONResponse({"complete": True, "inbox_id": body["inbox_id"], "messages": messages})
