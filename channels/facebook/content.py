"""What a stored message or comment holds: words, files that are still at Facebook, and things that are neither.

A delivery and an answer to a look say the same in different shapes; here they become one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from channels.files_contract import Attachment
from channels.monitor.attaching import Found
from channels.monitor.files import name_in
from channels.monitor.parts import entries, part, words

_FILES = {"image": "image/jpeg", "audio": "audio/mp4", "video": "video/mp4", "file": "application/octet-stream"}
_LIKES = frozenset({369239263222822, 369239343222814, 369239383222810})
"""The thumb in its three sizes is a sticker."""
MOST_FILES = 30


@dataclass(frozen=True, kw_only=True)
class Content:
    text: str
    files: Sequence[Found] = ()
    things: Sequence[Attachment] = ()
    sticker: bool = False


def content_of(kept: Any) -> Content:
    """Of what `events.packed` made."""
    if (message := part(kept, "event", "message")) is not None:
        return _delivered(message)
    if (event := part(kept, "event")) is not None:
        return Content(text=words(event, "message_edit", "text") or words(event, "postback", "title"))
    if (value := part(kept, "value")) is not None:
        urls = [*entries(value, "photos"), part(value, "photo"), part(value, "video")]
        if isinstance(part(value, "link"), str) and part(value, "item") in ("photo", "video"):
            urls.append(part(value, "link"))
        return Content(text=words(value, "message"), files=_files(_plain_files(urls)))
    return _looked_up(part(kept, "found"))


def _delivered(message: Any) -> Content:
    """Messenger Platform, "messages webhook"."""
    listed = entries(message, "attachments")
    stickers = [part(each, "payload", "sticker_id") for each in listed]
    sticker = any(isinstance(each, int) for each in stickers)
    text = words(message, "text")
    if not text and any(each in _LIKES for each in stickers):
        text = "\N{THUMBS UP SIGN}"
    files = [
        (part(each, "payload", "url"), "", _FILES[str(part(each, "type"))])
        for each in listed
        if part(each, "type") in _FILES and part(each, "payload", "sticker_id") is None
    ]
    others = [each for each in listed if part(each, "type") not in _FILES]
    return Content(text=text, files=_files(files), things=list(_things(others)), sticker=sticker)


def _looked_up(found: Any) -> Content:
    """A message or a comment as the Graph API gives it."""
    files: list[tuple[Any, str, str]] = []
    others = []
    for each in entries(found, "attachments", "data"):
        url = part(each, "image_data", "url") or part(each, "video_data", "url") or part(each, "file_url")
        content_type = words(each, "mime_type") or "application/octet-stream"
        if isinstance(url, str):
            files.append((url, words(each, "name"), content_type))
        else:
            others.append(each)
    files += _plain_files([part(found, "attachment", "media", "image", "src"), part(found, "full_picture")])
    return Content(
        text=words(found, "message"),
        files=_files(files),
        things=list(_things(others)),
        sticker=isinstance(part(found, "sticker"), str),
    )


def _plain_files(urls: Sequence[Any]) -> list[tuple[Any, str, str]]:
    return [(url, "", "image/jpeg") for url in urls if isinstance(url, str)]


def _files(listed: Sequence[tuple[Any, str, str]]) -> list[Found]:
    """Each address once. A file without a name is called as its address ends."""
    found: dict[str, Found] = {}
    for url, name, content_type in listed:
        if isinstance(url, str) and url not in found and len(found) < MOST_FILES:
            found[url] = Found(url, name or name_in(url, content_type, len(found) + 1), content_type)
    return list(found.values())


def _things(listed: Sequence[Any]) -> Iterator[Attachment]:
    """Places, shared links and cards as small JSON files, so that agents see them whole."""
    for number, each in enumerate(listed[:MOST_FILES], 1):
        kind = str(part(each, "type"))
        name = kind if kind.isascii() and kind.isalpha() and len(kind) <= 20 else "attachment"
        data = json.dumps(each, ensure_ascii=False, indent=1).encode("utf-8", "replace")
        yield Attachment(filename=f"{name}-{number}.json", content_type="application/json", data=data)
