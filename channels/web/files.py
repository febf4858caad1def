"""Files on their way into a channel for browsers: the resumable-upload protocol tus 1.0.0 (https://tus.io/protocols/resumable-upload).

Spoken here: the core protocol and the extensions creation, expiration and termination. GET hands a file back to the
one who sent it, and only as something to save.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator, Mapping, Sequence
from email.utils import format_datetime
from urllib.parse import quote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from channels.faults import NotStored
from channels.live_contract import Upload, UploadFault, UploadLimits, UploadRefused, Uploads
from channels.web.budget import Budgets
from channels.web.door import Door, HttpFault, cors

TUS = "1.0.0"
MAX_LENGTH_DIGITS = 15
MAX_METADATA_CHARACTERS = 4096
OFFSET_STREAM = "application/offset+octet-stream"
METHODS = ("POST", "HEAD", "PATCH", "DELETE", "GET")
HEADERS = (
    *("Content-Type", "Authorization", "Tus-Resumable", "Upload-Length", "Upload-Metadata", "Upload-Offset"),
    "X-HTTP-Method-Override",
)
EXPOSED = (
    *("Location", "Tus-Resumable", "Tus-Version", "Tus-Extension", "Tus-Max-Size"),
    *("Upload-Offset", "Upload-Length", "Upload-Expires", "Retry-After"),
)
STATUS = {
    UploadFault.GONE: 404,
    UploadFault.OFFSET: 409,
    UploadFault.BUSY: 423,
    UploadFault.EMPTY: 400,
    UploadFault.TOO_LARGE: 413,
    UploadFault.TOO_MANY: 429,
    UploadFault.DAILY: 429,
    UploadFault.NO_ROOM: 507,
    UploadFault.INCOMPLETE: 409,
    UploadFault.USED: 409,
    UploadFault.UNSCANNED: 409,
    UploadFault.INFECTED: 403,
}
RETRY_SECONDS = "5"
STALL_SECONDS = 30.0
"""A request from which no byte comes for this long is let go; its client asks how far it got."""
INERT = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}


class WebFiles:
    def __init__(self, path: str, door: Door, uploads: Uploads, limits: UploadLimits, budgets: Budgets) -> None:
        """Served at `path`, for example "/chat/files"."""
        self._path = path
        self._door = door
        self._uploads = uploads
        self._limits = limits
        self._budgets = budgets
        self._acts = {"HEAD": self._offset, "PATCH": self._append, "DELETE": self._drop, "GET": self._download}

    def routes(self) -> Sequence[BaseRoute]:
        return [
            Route(self._path, self._all, methods=["POST", "OPTIONS"]),
            Route(self._path + "/{id}", self._one, methods=["HEAD", "PATCH", "DELETE", "GET", "POST", "OPTIONS"]),
        ]

    async def _all(self, request: Request) -> Response:
        return await self._guarded(request, request.method)

    async def _one(self, request: Request) -> Response:
        """Some proxies let no PATCH or DELETE through: then a POST says which it stands for."""
        method = request.method
        if method == "POST":
            method = request.headers.get("x-http-method-override", "").upper()
        return await self._guarded(request, method)

    async def _guarded(self, request: Request, method: str) -> Response:
        try:
            answer = await self._serve(request, method)
        except UploadRefused as refused:
            answer = self._door.fault(request, _as_http(refused.fault))
        except HttpFault as fault:
            answer = self._door.fault(request, fault)
        except NotStored:
            answer = self._door.fault(request, HttpFault(503, "file_not_saved", {"Retry-After": RETRY_SECONDS}))
        answer.headers.update(self._headers(request))
        return answer

    async def _serve(self, request: Request, method: str) -> Response:
        self._door.check_origin(request)
        if request.method == "OPTIONS":
            return Response(status_code=204)
        session_id = self._door.authorised(request)
        if method != "GET" and request.headers.get("tus-resumable") != TUS:
            raise HttpFault(412, "tus_version")
        if method == "POST" and "id" not in request.path_params:
            return await self._create(request, session_id)
        if (act := self._acts.get(method)) is None:
            raise HttpFault(405, "bad_request")
        return await act(request, session_id)

    def _headers(self, request: Request) -> Mapping[str, str]:
        general = {"Tus-Resumable": TUS, "Cache-Control": "no-store"}
        if request.method == "OPTIONS":
            general |= {
                "Tus-Version": TUS,
                "Tus-Extension": "creation,expiration,termination",
                "Tus-Max-Size": str(self._limits.file_bytes),
            }
        return general | cors(request, self._door.origins, methods=METHODS, headers=HEADERS, exposed=EXPOSED)

    async def _create(self, request: Request, session_id: str) -> Response:
        if wait_seconds := self._budgets.of(session_id).take():
            raise HttpFault(429, "too_many_files", {"Retry-After": str(int(wait_seconds) + 1)})
        size, name = _number(request, "upload-length"), _metadata(request).get("filename", "")
        upload = await self._uploads.begin(session_id, name, size, self._limits)
        headers = {"Location": f"{self._path}/{upload.id}", "Upload-Offset": "0", **_expiry(upload)}
        return Response(status_code=201, headers=headers)

    async def _offset(self, request: Request, session_id: str) -> Response:
        upload = await self._uploads.find(session_id, request.path_params["id"])
        headers = {"Upload-Offset": str(upload.received), "Upload-Length": str(upload.size), **_expiry(upload)}
        return Response(status_code=200, headers=headers)

    async def _append(self, request: Request, session_id: str) -> Response:
        if request.headers.get("content-type", "").split(";")[0].strip().lower() != OFFSET_STREAM:
            raise HttpFault(415, "bad_request")
        offset, upload_id = _number(request, "upload-offset"), request.path_params["id"]
        try:
            upload = await self._uploads.append(session_id, upload_id, offset, _pieces(request), self._limits)
        except ClientDisconnect:
            return Response(status_code=499)  # nobody hears it
        return Response(status_code=204, headers={"Upload-Offset": str(upload.received), **_expiry(upload)})

    async def _drop(self, request: Request, session_id: str) -> Response:
        await self._uploads.drop(session_id, request.path_params["id"])
        return Response(status_code=204)

    async def _download(self, request: Request, session_id: str) -> Response:
        upload_id = request.path_params["id"]
        upload = await self._uploads.find(session_id, upload_id)
        path = await self._uploads.path(session_id, upload_id)
        disposition = f"attachment; filename*=UTF-8''{quote(upload.filename, safe='')}"
        headers = {"Content-Disposition": disposition, **INERT}
        return FileResponse(path, media_type="application/octet-stream", headers=headers)


def _as_http(fault: UploadFault) -> HttpFault:
    again = {"Retry-After": RETRY_SECONDS} if fault in (UploadFault.BUSY, UploadFault.NO_ROOM) else {}
    return HttpFault(STATUS[fault], fault.value, again)


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    """The body as it comes. Raises ClientDisconnect when the line breaks or falls silent."""
    stream = aiter(request.stream())
    while True:
        try:
            async with asyncio.timeout(STALL_SECONDS):
                piece = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise ClientDisconnect from None
        yield piece


def _number(request: Request, header: str) -> int:
    text = request.headers.get(header, "")
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_LENGTH_DIGITS):
        raise HttpFault(400, "bad_request")
    return int(text)


def _metadata(request: Request) -> Mapping[str, str]:
    """`Upload-Metadata`: pairs "name base64" between commas. What cannot be read counts as absent."""
    found: dict[str, str] = {}
    text = request.headers.get("upload-metadata", "")
    if len(text) > MAX_METADATA_CHARACTERS:
        raise HttpFault(400, "bad_request")
    for pair in text.split(","):
        name, _, value = pair.strip().partition(" ")
        try:
            found[name] = base64.b64decode(value, validate=True).decode(errors="replace")
        except (binascii.Error, ValueError):
            continue
    return found


def _expiry(upload: Upload) -> dict[str, str]:
    return {"Upload-Expires": format_datetime(upload.expires_at, usegmt=True)}
