"""HTML mail to plain text. Quotations come out as lines with ">", so that one rule strips both kinds."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import override

MAX_CHARACTERS = 256 * 1024
MAX_DEPTH = 20
"""Quotation marks deeper than this are not told apart."""
MAX_LOOK_BACK = 200
"""An end tag looks this far back for its start; without a bound, crossed tags would cost quadratic time."""

_SILENT = frozenset(("script", "style", "head", "title", "template", "object", "svg", "math", "select", "textarea"))
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr")
)
_BLOCK_NAMES = (
    "address article aside blockquote body center dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 header"
    " hr li main nav ol p pre section table tbody tfoot thead tr ul"
)
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_QUOTE_CLASS = re.compile(r"\b(gmail_attr|yahoo_quoted|moz-cite-prefix|protonmail_quote|zmail_extra)\b")
"""Not Gmail's own "gmail_quote": that one also holds what a person answers between the quotations."""
_QUOTE_ID = re.compile(r"^(isReplyContent|mail-editor-reference-message-container)$")
_TAG = re.compile(r"<[^<>]*>")
_SPACE = re.compile(r"[ \t\r\n\f\xa0\u3000]+")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = []
        self._line: list[str] = []
        self._open: list[tuple[str, bool]] = []
        self._quotes = 0
        self._silent = 0

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        quote = _is_quote(tag, dict(attrs))
        if tag == "br":
            self._break()
        elif quote or tag in _BLOCKS:
            self._new_block()
        if tag == "li":
            self._line.append("- ")
        elif tag in ("td", "th") and self._line:
            self._line.append(" ")
        if tag not in _VOID:
            self._enter(tag, quote)

    def _enter(self, tag: str, quote: bool) -> None:
        self._open.append((tag, quote))
        self._quotes += quote
        self._silent += tag in _SILENT

    @override
    def handle_endtag(self, tag: str) -> None:
        near = self._open[-MAX_LOOK_BACK:]
        depth = next((n for n, (name, _) in enumerate(reversed(near), 1) if name == tag), 0)
        if tag in _BLOCKS or any(quote for _, quote in near[len(near) - depth :]):
            self._new_block()
        for _ in range(depth):
            name, quote = self._open.pop()
            self._quotes -= quote
            self._silent -= name in _SILENT

    @override
    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        if any(name == "pre" for name, _ in self._open[-MAX_DEPTH:]):
            first, *others = data.split("\n")
            self._line.append(first)
            for line in others:
                self._break()
                self._line.append(line)
        else:
            self._line.append(_SPACE.sub(" ", data))

    def _new_block(self) -> None:
        if any(not piece.isspace() for piece in self._line):
            self._break()
        else:
            self._line.clear()

    def _break(self) -> None:
        mark = "> " * min(self._quotes, MAX_DEPTH)
        self._lines.append(mark + "".join(self._line).strip())
        self._line.clear()

    def text(self) -> str:
        self._new_block()
        return "\n".join(self._lines)


def _is_quote(tag: str, attributes: dict[str, str | None]) -> bool:
    if tag == "blockquote":
        return True
    return bool(_QUOTE_CLASS.search(attributes.get("class") or "") or _QUOTE_ID.match(attributes.get("id") or ""))


def to_text(html: str) -> str:
    html = _without_comments(html[:MAX_CHARACTERS])
    if html.count("<") > 2 * html.count(">") + MAX_LOOK_BACK:
        # Tags that never end cost the library's parser quadratic time; nobody's mail program writes them.
        return _TAG.sub(" ", html)
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.text()


def _without_comments(html: str) -> str:
    kept: list[str] = []
    start = 0
    while (opened := html.find("<!--", start)) >= 0:
        kept.append(html[start:opened])
        closed = html.find("-->", opened + 4)
        if closed < 0:
            return "".join(kept)
        start = closed + 3
    kept.append(html[start:])
    return "".join(kept)
