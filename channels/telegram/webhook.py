"""The door for updates that Telegram posts: 200 only when the update is stored."""

from __future__ import annotations

import hmac
import math
from collections.abc import Sequence

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from channels.faults import NotStored
from channels.telegram.receive import RETRY_SECONDS, Receiver
from channels.telegram.settings import WEBHOOK_PATH

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name
MAX_BODY_BYTES = 1024 * 1024


class Webhook:
    def __init__(self, secret: str, receiver: Receiver) -> None:
        self._secret = secret.encode()
        self._receiver = receiver

    def routes(self) -> Sequence[BaseRoute]:
        return [Route(WEBHOOK_PATH, self._post, methods=["POST"])]

    async def _post(self, request: Request) -> Response:
        """Who does not know the secret hears 403 before anything of the body is looked at."""
        shown = request.headers.get(SECRET_HEADER, "")
        if not self._secret or not hmac.compare_digest(shown.encode("utf-8", "replace"), self._secret):
            self._receiver.refused["wrong_secret"] += 1
            return Response(status_code=403)
        try:
            body = await _body(request)
        except ClientDisconnect:
            return Response(status_code=400)
        if body is None:
            self._receiver.refused["too_large"] += 1
            return Response(status_code=413)
        try:
            await self._receiver.take(body)
        except NotStored as fault:
            seconds = math.ceil(fault.after_seconds or RETRY_SECONDS)
            return Response(status_code=503, headers={"Retry-After": str(seconds)})
        return Response(status_code=200)


async def _body(request: Request) -> bytes | None:
    """None when it is longer than any update. Raises ClientDisconnect."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            return None
    return bytes(body)
