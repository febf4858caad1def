"""The pictures of a post, which Bluesky's picture server gives out by author and content. Films it gives out as streams
only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from channels.bluesky.pages import CID
from channels.monitor.attaching import Found
from channels.monitor.parts import entries, part, words

MOST_FILES = 10
_PATH = "/img/feed_fullsize/plain/{did}/{cid}@jpeg"
"""As in the addresses "fullsize" of app.bsky.embed.images#viewImage: the whole picture, made anew as JPEG."""


def files_of(record: Any, did: str, media_url: str) -> list[Found]:
    """`media_url`: of the picture server."""
    cids = [words(each, "image", "ref", "$link") for each in _pictures(record)]
    return [
        Found(media_url + _PATH.format(did=did, cid=cid), f"{cid}.jpg", "image/jpeg")
        for cid in dict.fromkeys(cids)
        if CID.fullmatch(cid)
    ][:MOST_FILES]


def has_film(record: Any) -> bool:
    return any(part(embed, "video") is not None for embed in embeds_of(record))


def descriptions_of(record: Any) -> Sequence[str]:
    """Some people write their complaint there."""
    shown = [*_pictures(record), *embeds_of(record)]
    return [said[:300] for each in shown if (said := words(each, "alt"))]


def embeds_of(record: Any) -> list[Any]:
    """The embed, and what lies beside a quoted post."""
    embed = part(record, "embed")
    return [embed, part(embed, "media")]


def _pictures(record: Any) -> list[Any]:
    return [each for embed in embeds_of(record) for each in entries(embed, "images")]
