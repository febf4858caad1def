"""The HTML of a post as text. Servers allow few tags; whatever else is there is read over."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import override

MAX_CHARACTERS = 256 * 1024
_LINES = re.compile(r"\n{3,}")
_BLOCKS = frozenset(("p", "blockquote", "pre", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6"))
_SILENT = frozenset(("script", "style"))


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._link: str | None = None
        self._silent: str | None = None

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        classes = given.get("class", "").split()
        if tag in _SILENT:
            self._silent = tag
        elif tag == "br":
            self.pieces.append("\n")
        elif tag == "li":
            self.pieces.append("\n- ")
        elif tag in _BLOCKS:
            self.pieces.append("\n\n")
        elif tag == "a" and "mention" not in classes and "hashtag" not in classes and given.get("href"):
            # What a link shows may be cut short, or feign another address.
            self._link = given["href"]
            self.pieces.append(self._link)

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag == self._silent:
            self._silent = None
        if tag == "a":
            self._link = None
        elif tag in _BLOCKS:
            self.pieces.append("\n\n")

    @override
    def handle_data(self, data: str) -> None:
        if self._link is None and self._silent is None:
            self.pieces.append(data)


def text_of(html: str) -> str:
    reader = _Text()
    reader.feed(html[:MAX_CHARACTERS])
    reader.close()
    lines = (line.strip(" \t\r\u2028\u2029") for line in "".join(reader.pieces).split("\n"))
    return _LINES.sub("\n\n", "\n".join(lines)).strip()
