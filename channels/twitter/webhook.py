"""The door for what X posts: who cannot sign gets nowhere, and 200 is said only when all of it is stored.

X checks the door by letting it sign a word (CRC), with the very key and in the very way in which it signs what it
delivers. So whoever asks can have a word signed: nothing is signed that could be taken for a delivery.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import re
from collections.abc import Sequence

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from channels.faults import NotStored
from channels.monitor.deliveries import Deliveries, body_of, later
from channels.monitor.looking_again import Gone, removal
from channels.monitor.missed import Missed
from channels.monitor.posts import Post
from channels.monitor.receive import Receiver
from channels.monitor.seen import DELETED, SeenPosts
from channels.twitter.events import Batch, Deletion, NoDelivery, batch_of
from channels.twitter.settings import WEBHOOK_PATH, XSettings

WEBHOOK = "webhook"
"""The name of this way of receiving, beside those of the feeds."""
SIGNATURE_HEADER = "x-twitter-webhooks-signature"
MAX_BODY_BYTES = 1024 * 1024
_WORD = re.compile(r"[A-Za-z0-9+/=_.~-]{1,256}")
"""What may be signed: no JSON object can be written with these."""
_NO_WORD = (
    "crc_token must be there once, with 1 to 256 of A-Z, a-z, 0-9, +, /, =, _, ., ~ and -: it is the word that X has "
    "signed when it checks this webhook."
)


class Webhook:
    def __init__(
        self, settings: XSettings, receiver: Receiver, seen: SeenPosts, deliveries: Deliveries, missed: Missed
    ) -> None:
        self._secret = settings.consumer_secret.get_secret_value().encode()
        self._account_id = settings.account_id
        self._receiver = receiver
        self._seen = seen
        self._deliveries = deliveries
        self._missed = missed

    def routes(self) -> Sequence[BaseRoute]:
        return [
            Route(WEBHOOK_PATH, self._prove, methods=["GET"]),
            Route(WEBHOOK_PATH, self._post, methods=["POST"]),
        ]

    async def _prove(self, request: Request) -> Response:
        """X asks when the webhook is registered and every hour (docs.x.com, "V2 Webhooks API": the CRC check)."""
        asked = request.query_params.getlist("crc_token")
        if len(asked) != 1 or not _WORD.fullmatch(asked[0]):
            self._deliveries.refused["wrong_crc_token"] += 1
            return PlainTextResponse(_NO_WORD, status_code=400, headers={"X-Content-Type-Options": "nosniff"})
        return JSONResponse({"response_token": self._signed(asked[0].encode())}, headers={"Cache-Control": "no-store"})

    async def _post(self, request: Request) -> Response:
        try:
            body = await body_of(request, MAX_BODY_BYTES)
        except ClientDisconnect:
            return Response(status_code=400)
        if body is None:
            self._deliveries.refused["too_large"] += 1
            return Response(status_code=413)
        if not self._is_signed(body, request.headers.get(SIGNATURE_HEADER, "")):
            self._deliveries.refused["wrong_signature"] += 1
            return Response(status_code=403)
        return await self._take(body)

    async def _take(self, body: bytes) -> Response:
        try:
            batch = batch_of(body, self._account_id)
        except NoDelivery:
            self._deliveries.refused["unreadable"] += 1
            return Response(status_code=400)
        try:
            await self._deliveries.stored(lambda: self._store(batch))
        except NotStored as fault:
            return later(fault)
        if batch.is_ours:
            self._missed.delivered()
        self._deliveries.refused.update(batch.ignored)
        return Response(status_code=200)

    async def _store(self, batch: Batch) -> None:
        """Raises NotStored or OSError."""
        await self._receiver.take(batch.posts, WEBHOOK)
        if batch.deletions:
            await self._receiver.take(await asyncio.to_thread(self._removals, batch.deletions), WEBHOOK)

    def _removals(self, deletions: Sequence[Deletion]) -> list[Post]:
        """In the conversation of each post's author, also of a post that we never had. Raises OSError."""
        removals = []
        for each in deletions:
            seen, gone = self._seen.having(each.post_id), Gone(word=DELETED, said=each.said)
            first, author_id, language = (
                (seen.first, seen.author_id, seen.language) if seen else (each.post_id, each.author_id, "en")
            )
            removals.append(removal(first, author_id, language, gone))
        return removals

    def _is_signed(self, body: bytes, shown: str) -> bool:
        """Over the bytes as they came, before anything of them is interpreted."""
        return hmac.compare_digest(shown.encode("utf-8", "replace"), self._signed(body).encode())

    def _signed(self, content: bytes) -> str:
        return "sha256=" + base64.b64encode(hmac.digest(self._secret, content, "sha256")).decode()
