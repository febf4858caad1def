"""The pictures and films of a post: where X keeps them, in the largest size that we take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from channels.monitor.attaching import Found
from channels.monitor.files import name_in
from channels.monitor.parts import entries, part, words

MOST_FILES = 10
LARGE = "?name=large"
"""Pictures are given out in several sizes; without it a middle one comes."""
_FILM = "video/mp4"
_TYPES = {".png": "image/png", ".gif": "image/gif", ".webp": "image/webp"}


def files_of(kept: Any, most_bytes: int) -> list[Found]:
    """Of a film that X describes without its files, the picture that stands for it."""
    found: list[Found] = []
    for item in entries(kept, "media")[:MOST_FILES]:
        url, content_type = _film(item, most_bytes), _FILM
        if not url:
            url = words(item, "url") or words(item, "preview_image_url")
            content_type = next((kind for ending, kind in _TYPES.items() if url.endswith(ending)), "image/jpeg")
        if not url:
            continue
        name = name_in(url, content_type, len(found) + 1)
        large = part(item, "type") == "photo" and "?" not in url
        found.append(Found(url + LARGE if large else url, name, content_type))
    return found


def descriptions_of(kept: Any) -> Sequence[str]:
    """Some people write their complaint there."""
    return [said[:300] for item in entries(kept, "media") if (said := words(item, "alt_text"))]


def _film(item: Any, most_bytes: int) -> str:
    """The best that is likely not too large, else the smallest; "" when there is none."""
    seconds = (_number(part(item, "duration_ms")) or 0) / 1000
    films = sorted(
        (_number(part(each, "bit_rate")) or 0, words(each, "url"))
        for each in entries(item, "variants")
        if part(each, "content_type") == _FILM and words(each, "url")
    )
    fitting = [url for rate, url in films if rate * seconds / 8 <= most_bytes]
    return fitting[-1] if fitting else films[0][1] if films else ""


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**40 else None
