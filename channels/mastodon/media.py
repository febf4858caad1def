"""The pictures, sounds and films of a post: where its server, or the one that it came from, keeps them."""

from __future__ import annotations

import mimetypes
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from channels.mastodon.settings import MastodonSettings
from channels.monitor.attaching import Found
from channels.monitor.files import name_in
from channels.monitor.parts import entries, words

MOST_FILES = 16
_TYPES = {"image": "image/jpeg", "gifv": "video/mp4", "video": "video/mp4", "audio": "audio/mpeg"}


def origins_for(settings: MastodonSettings) -> Sequence[str]:
    """Our own server, every host below it, and what the settings name besides."""
    own = urlsplit(settings.base_url)
    below = [f"https://*.{own.hostname}"] if own.scheme == "https" else []
    return [f"{own.scheme}://{own.netloc}".lower(), *below, *settings.media_origins]


def files_of(status: Any) -> list[Found]:
    """Our server's copy; where it keeps none, the original."""
    found: list[Found] = []
    for item in entries(status, "media_attachments")[:MOST_FILES]:
        if url := words(item, "url") or words(item, "remote_url"):
            guessed = mimetypes.guess_type(url.partition("?")[0])[0]
            content_type = guessed or _TYPES.get(words(item, "type"), "application/octet-stream")
            found.append(Found(url, name_in(url, content_type, len(found) + 1), content_type))
    return found


def descriptions_of(status: Any) -> Sequence[str]:
    """Some people write their complaint there."""
    return [said[:300] for item in entries(status, "media_attachments") if (said := words(item, "description"))]
