"""Rich text (https://docs.bsky.app/docs/advanced-guides/post-richtext): a text, and facets that name bytes of it."""

from __future__ import annotations

import re
from typing import Any

from channels.monitor.parts import entries, part, words

LINK = "app.bsky.richtext.facet#link"
MENTION = "app.bsky.richtext.facet#mention"
_ADDRESS = re.compile(r"https?://\S+")


def written_out(text: str, record: Any) -> str:
    """With each link's true address where it is shown cut short, or feigns another one."""
    content = text.encode("utf-8", "surrogatepass")
    for start, end, uri in sorted(_links(record), reverse=True):
        if 0 <= start < end <= len(content):
            content = content[:start] + uri.encode("utf-8", "surrogatepass") + content[end:]
    return content.decode("utf-8", "replace")


def named(record: Any) -> list[str]:
    """Whom a post mentions, as DIDs."""
    features = [each for facet in entries(record, "facets") for each in entries(facet, "features")]
    return [words(each, "did") for each in features if part(each, "$type") == MENTION]


def linked(text: str) -> list[dict[str, Any]]:
    """The facets that make the addresses in a text of ours links."""
    return [
        {
            "index": {"byteStart": len(text[: at.start()].encode()), "byteEnd": len(text[: at.end()].encode())},
            "features": [{"$type": LINK, "uri": at.group()}],
        }
        for at in _ADDRESS.finditer(text)
    ]


def _links(record: Any) -> list[tuple[int, int, str]]:
    """Without those that overlap the one before."""
    found: list[tuple[int, int, str]] = []
    for facet in entries(record, "facets"):
        start, end = part(facet, "index", "byteStart"), part(facet, "index", "byteEnd")
        uris = [words(each, "uri") for each in entries(facet, "features") if part(each, "$type") == LINK]
        if type(start) is int and type(end) is int and uris and uris[0]:
            found.append((start, end, uris[0]))
    found.sort()
    return [each for number, each in enumerate(found) if number == 0 or found[number - 1][1] <= each[0]]
