"""Reads a posted form, after making sure that a page of this desk sent it (CSRF)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

from escalation.web.errors import Refused

FORM_TYPE = "application/x-www-form-urlencoded"
FIELD = "csrf"
HEADER = "x-csrf-token"
"""Where the token travels: in a hidden field, or in a header when htmx posts."""
MAX_FORM_BYTES = 512 * 1024
"""Room for the longest reply: 20,000 Chinese characters are 180,000 bytes in a form."""
MAX_FIELDS = 50

type Form = Mapping[str, str]


async def trusted_form(request: Request, token: str, public_url: str) -> Form:
    """The fields. Raises Refused 403 unless content type, Origin and token say that the form is ours."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != FORM_TYPE:
        raise Refused(403, "web.error_403")
    insist_on_origin(request, public_url)
    form = await _read(request)
    insist_on_token(request.headers.get(HEADER) or form.get(FIELD, ""), token)
    return form


def insist_on_origin(request: Request, public_url: str) -> None:
    """Raises Refused 403 when a page of another site sends this."""
    if not _own_origin(request, public_url):
        raise Refused(403, "web.error_403")


def insist_on_token(given: str, token: str) -> None:
    """Raises Refused 403 unless the session's own token came along."""
    if not token or not secrets.compare_digest(given.encode(), token.encode()):
        raise Refused(403, "web.error_403")


def _own_origin(request: Request, public_url: str) -> bool:
    """An Origin must be ours: the public address, or the very host that was asked (a second name of this machine).

    Browsers send it with every POST; what has none (a script) still needs the token, and may not be called
    cross-site by its Sec-Fetch-Site.
    """
    origin = request.headers.get("origin")
    if origin is None:
        return request.headers.get("sec-fetch-site", "none") in ("none", "same-origin")
    asked = urlsplit(origin)
    if asked.scheme not in ("http", "https"):
        return False
    public = urlsplit(public_url)
    return asked.netloc == request.headers.get("host") or (asked.scheme, asked.netloc) == (public.scheme, public.netloc)


async def _read(request: Request) -> Form:
    body = await request.body()
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise Refused(422, "web.error_422") from error
    return dict(fields)
