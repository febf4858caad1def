"""A message as its sender laid it out, made harmless: nothing of it runs, loads or leads anywhere."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import html
import re

import nh3
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from bot.files import Files
from bot.store.store import Store
from bot.understanding.secrets import redact
from escalation.console.desk import Formatted
from escalation.console.doors import row_id
from escalation.console.repository import conversation as conversations
from escalation.console.sessions import Visitor
from escalation.web.errors import Refused
from escalation.web.headers import DOWNLOAD_POLICY
from escalation.web.pages import Pages

MOST_TAGS = 20_000
"""Cleaning takes time with the square of the nesting: 0.14 s for 10,000 levels, 3.5 s for 50,000."""
_LAYOUT = frozenset(
    {
        "a",
        "abbr",
        "b",
        "blockquote",
        "br",
        "caption",
        "center",
        "code",
        "col",
        "colgroup",
        "dd",
        "del",
        "div",
        "dl",
        "dt",
    }
    | {"em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "ins", "li", "ol", "p", "pre", "q", "s", "small", "span"}
    | {"strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul"}
)
_SPANS = {"td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}, "ol": {"start"}}
"""Nothing else: an address would lead out, a style could cover or fetch."""
_TAG = re.compile(r"<[^<>]*>")
_STYLE = (
    "body{max-width:60rem;margin:0 auto;padding:1rem;font-family:system-ui,sans-serif;line-height:1.5;"
    "overflow-wrap:anywhere}td,th{border:1px solid;padding:.2em .5em;text-align:start;overflow-wrap:normal}"
    "table{display:block;overflow-x:auto;border-collapse:collapse}pre{white-space:pre-wrap}"
    "blockquote{margin-inline:0;padding-inline-start:1em;border-inline-start:3px solid}"
)
"""Ours, and the only one that the policy of the page lets in: the sender's have other hashes."""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY = f"{DOWNLOAD_POLICY}; style-src 'sha256-{_STYLE_HASH}'"
_PAGE = (
    '<!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title><style>{style}</style>'
    "</head><body><p><small>{hint}</small></p><hr>{content}</body></html>"
)


class FormattedMessages:
    def __init__(self, store: Store, raw: Files, pages: Pages, formatted: Formatted) -> None:
        self._store = store
        self._raw = raw
        self._pages = pages
        self._formatted = formatted

    async def show(self, request: Request, visitor: Visitor) -> Response:
        """The original is sealed: where a secret was taken out of its words, this form of it is not shown either."""
        inbox_id = row_id(request)
        row = await self._store.read(lambda connection: conversations.original(connection, inbox_id))
        if row is None:
            raise Refused(404, "web.error_404")
        try:
            raw = row.raw if row.raw is not None else await asyncio.to_thread(self._raw.get, row.raw_sha256)
        except (OSError, ValueError) as error:
            raise Refused(404, "console.evidence_missing") from error
        written = await self._formatted(row.channel, raw, row.envelope)
        if written is None or written.count("<") > MOST_TAGS:
            raise Refused(404, "console.formatted_missing")
        content = await asyncio.to_thread(cleaned, written)
        if holds_secret(content):
            raise Refused(409, "console.formatted_secret")
        language = self._pages.language(request)
        say = {name: html.escape(self._pages.say(f"console.formatted_{name}", language)) for name in ("title", "hint")}
        return HTMLResponse(
            _PAGE.format(language=language, content=content, style=_STYLE, **say),
            headers={"content-security-policy": POLICY, "referrer-policy": "no-referrer"},
        )


def cleaned(written: str) -> str:
    """Layout and words: no script, no style, no picture, no address, no form."""
    return nh3.clean(
        written,
        tags=set(_LAYOUT),
        attributes={tag: set(names) for tag, names in _SPANS.items()},
        url_schemes=set(),
        link_rel=None,
    )


def holds_secret(content: str) -> bool:
    """Whether its words hold what must be shown nowhere; tags may stand between the words or inside of one."""
    return any(redact(html.unescape(_TAG.sub(gap, content))).kinds for gap in (" ", ""))
