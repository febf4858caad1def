"""The back office over HTTP: one question, one bounded call, one of the outcomes of the contract."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Self

import httpx

from actions.backoffice.contract import (
    BackOfficeDown,
    BackOfficeRefused,
    Deposit,
    Freeze,
    Incident,
    Order,
    Restriction,
    Trade,
    User,
    Withdrawal,
)
from actions.backoffice.decode import Malformed, decode, decode_list

MAX_ANSWER_BYTES = 4 * 1024 * 1024
MAX_PAGES = 20
MAX_WAIT_SECONDS = 3600

_UID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


class HttpBackOffice:
    """`BackOffice` spoken as `openapi.yml` says. Use it in one event loop and close it with `aclose`.

    `base_url` is everything before "/v1". `timeout_seconds` bounds a whole call, all its pages included.
    Proxies of the environment are not used (the token is for the back office alone); a private certificate
    authority is named by SSL_CERT_FILE.
    """

    def __init__(self, base_url: str, token: str, timeout_seconds: float = 2) -> None:
        self._timeout_seconds = timeout_seconds
        self._client = httpx.AsyncClient(
            base_url=base_url,
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=timeout_seconds,
            trust_env=False,
            verify=_trusted(base_url),
        )

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def user(self, uid: str) -> User | None:
        """See `BackOffice`. A uid that the contract does not allow cannot exist and is not asked for."""
        if not _UID.fullmatch(uid):
            return None
        return await self._find_user("GET", "/v1/users/{uid}", uid)

    async def user_by_email(self, email: str) -> User | None:
        """See `BackOffice`. The address travels in the body, for servers log paths."""
        return await self._find_user("POST", "/v1/users/lookup", body={"email": email})

    async def deposits(self, uid: str, since: datetime) -> tuple[Deposit, ...]:
        """See `BackOffice`."""
        return await self._list(Deposit, "/v1/users/{uid}/deposits", uid, since=_utc(since))

    async def withdrawals(self, uid: str, since: datetime) -> tuple[Withdrawal, ...]:
        """See `BackOffice`."""
        return await self._list(Withdrawal, "/v1/users/{uid}/withdrawals", uid, since=_utc(since))

    async def orders(self, uid: str, since: datetime) -> tuple[Order, ...]:
        """See `BackOffice`."""
        return await self._list(Order, "/v1/users/{uid}/orders", uid, since=_utc(since))

    async def trades(self, uid: str, since: datetime) -> tuple[Trade, ...]:
        """See `BackOffice`."""
        return await self._list(Trade, "/v1/users/{uid}/trades", uid, since=_utc(since))

    async def restrictions(self, uid: str) -> tuple[Restriction, ...]:
        """See `BackOffice`."""
        return await self._list(Restriction, "/v1/users/{uid}/restrictions", uid)

    async def incidents(self, at: datetime) -> tuple[Incident, ...]:
        """See `BackOffice`."""
        return await self._list(Incident, "/v1/incidents", at=_utc(at))

    async def freeze(self, uid: str, reason: str, idempotency_key: str) -> Freeze:
        """See `BackOffice`. Raises ValueError if the key is empty or cannot travel in a header."""
        if not idempotency_key or not idempotency_key.isascii() or not idempotency_key.isprintable():
            raise ValueError("an idempotency key is one or more printable ASCII characters")
        path = "/v1/users/{uid}/freezes"
        headers = {"Idempotency-Key": idempotency_key}
        answer = await self._bounded("POST", path, uid, body={"reason": reason}, headers=headers)
        return _decoded(Freeze, answer, path)

    async def _find_user(
        self, method: str, path: str, uid: str = "", body: Mapping[str, str] | None = None
    ) -> User | None:
        try:
            answer = await self._bounded(method, path, uid, body=body)
        except _NoSuchUser:
            return None
        return _decoded(User, answer, path)

    async def _list[T](self, kind: type[T], path: str, uid: str = "", **query: str) -> tuple[T, ...]:
        """All pages of a list. More than MAX_PAGES is refused: half a list would pass for the whole."""
        found: tuple[T, ...] = ()
        async with _deadline(self._timeout_seconds, path):
            for _ in range(MAX_PAGES):
                items, cursor = _page(kind, await self._ask("GET", path, uid, query=query), path)
                found += items
                if cursor is None:
                    return found
                query = {**query, "cursor": cursor}
        raise BackOfficeRefused(f"The back office has more than {MAX_PAGES} pages at {path}; narrow the time.")

    async def _bounded(self, method: str, path: str, uid: str, **rest: Any) -> object:
        async with _deadline(self._timeout_seconds, path):
            return await self._ask(method, path, uid, **rest)

    async def _ask(
        self,
        method: str,
        path: str,
        uid: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> object:
        """One request and its answer. `path` is the template: it goes into errors, the uid does not."""
        if "{uid}" in path and not _UID.fullmatch(uid):
            raise BackOfficeRefused(f"The user named for {path} cannot exist: the uid has a form never used.")
        request = self._client.build_request(
            method, path.replace("{uid}", uid), params=query, json=body, headers=headers
        )
        try:
            return await self._exchange(request, path)
        except httpx.TransportError as error:
            raise BackOfficeDown(f"The back office cannot be reached at {path}.") from error

    async def _exchange(self, request: httpx.Request, path: str) -> object:
        response = await self._client.send(request, stream=True)
        try:
            content = await _read(response, path)
        finally:
            await response.aclose()
        if response.status_code not in (200, 201):
            raise _failure(response, content, path)
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            raise BackOfficeRefused(f"The back office answered {path} with something that is not JSON.") from error


class _NoSuchUser(BackOfficeRefused):
    """A 404 that says in so many words that the user does not exist (any web server can say 404)."""


@asynccontextmanager
async def _deadline(seconds: float, path: str) -> AsyncIterator[None]:
    """httpx limits each read; this limits the call, so that an answer in drips ends too."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise BackOfficeDown(f"The back office did not answer {path} within {seconds:g} s.") from error


def _trusted(base_url: str) -> ssl.SSLContext:
    """The system's certificate authorities. An address without TLS needs none of them, which saves 40 MB and a third
    of a second; should TLS ever be spoken there, nobody is trusted."""
    if base_url.startswith("http://"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return ssl.create_default_context()


async def _read(response: httpx.Response, path: str) -> bytes:
    content = bytearray()
    try:
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > MAX_ANSWER_BYTES:
                raise BackOfficeRefused(f"The back office answered {path} with over {MAX_ANSWER_BYTES} bytes.")
    except httpx.DecodingError as error:
        raise BackOfficeRefused(f"The back office answered {path} in a compression that cannot be read.") from error
    return bytes(content)


def _failure(response: httpx.Response, content: bytes, path: str) -> BackOfficeDown | BackOfficeRefused:
    """What a status other than 200 and 201 means. The answer is not quoted: it may hold personal words."""
    status = response.status_code
    if status == 429 or status >= 500:
        wait = _wait_seconds(response.headers.get("Retry-After", ""))
        return BackOfficeDown(f"The back office answered {path} with {status}.", wait)
    if status in (401, 403):
        return BackOfficeRefused(f"The back office refused {path} with {status}: check the desk's token.")
    if status == 404 and _problem_code(content) == "user_not_found":
        return _NoSuchUser(f"The back office knows no such user at {path}.")
    return BackOfficeRefused(f"The back office answered {path} with {status}, which the contract does not allow.")


def _wait_seconds(retry_after: str) -> int:
    """RFC 9110 section 10.2.3; the form with a date is rare and means the default here."""
    return min(int(retry_after), MAX_WAIT_SECONDS) if re.fullmatch("[0-9]{1,9}", retry_after) else 30


def _problem_code(content: bytes) -> object:
    """The `code` of an RFC 9457 problem, None if the body is something else."""
    try:
        problem = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return problem.get("code") if isinstance(problem, dict) else None


def _page[T](kind: type[T], answer: object, path: str) -> tuple[tuple[T, ...], str | None]:
    """One page of a list: `items`, and where the next page starts (None after the last)."""
    if not isinstance(answer, dict) or "items" not in answer or "next_cursor" not in answer:
        raise BackOfficeRefused(f"The back office answered {path} without the fields items and next_cursor.")
    cursor = answer["next_cursor"]
    if cursor is not None and not isinstance(cursor, str):
        raise BackOfficeRefused(f"The back office answered {path} with a next_cursor that is not a string.")
    try:
        return decode_list(kind, answer["items"], "items"), cursor
    except Malformed as error:
        raise _outside_contract(path, error) from error


def _decoded[T](kind: type[T], answer: object, path: str) -> T:
    try:
        return decode(kind, answer)
    except Malformed as error:
        raise _outside_contract(path, error) from error


def _outside_contract(path: str, error: Malformed) -> BackOfficeRefused:
    return BackOfficeRefused(f"The back office answered {path} outside the contract: {error}.")


def _utc(time: datetime) -> str:
    if time.tzinfo is None:
        raise ValueError("a time asked of the back office needs a zone")
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")
