"""A post as the webhook brings it, in the shape of X's older API, told in the shape that looks bring (X API v2).

"Data dictionary: Standard v1.1" and "X API v2 data dictionary" (docs.x.com) describe both. What is stored is what came;
this is how it is understood.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from channels.monitor.parts import entries, part, whole, words

_FILM = {"bit_rate": "bitrate", "content_type": "content_type", "url": "url"}
"""What X now calls the parts of a film's file, and what it called them."""


def as_polled(tweet: Any) -> dict[str, Any]:
    """`cut`: X delivered only the beginning of the text."""
    post_id, author_id = part(tweet, "id_str"), part(tweet, "user", "id_str")
    body = _body(tweet)
    text = part(body, "full_text") or part(body, "text")
    media = entries(body, "extended_entities", "media") or entries(body, "entities", "media")
    post = {
        "id": post_id,
        "author_id": author_id,
        "text": text if isinstance(text, str) else "",
        "created_at": _written(part(tweet, "created_at")),
        "lang": part(tweet, "lang"),
        "in_reply_to_user_id": part(tweet, "in_reply_to_user_id_str"),
        "edit_history_tweet_ids": entries(tweet, "edit_history", "edit_tweet_ids"),
        "referenced_tweets": _referred(tweet),
        "entities": {"mentions": _mentions(body), "urls": [*_links(body), *(_media_link(each) for each in media)]},
    }
    author = {"id": author_id, "name": words(tweet, "user", "name"), "username": words(tweet, "user", "screen_name")}
    return {"post": post, "author": author, "media": [_shown(each) for each in media], "cut": _is_cut(tweet, body)}


def _body(tweet: Any) -> Any:
    """Longer texts stand in a part of their own, with the links and names of the whole text."""
    extended = part(tweet, "extended_tweet")
    return extended if isinstance(part(extended, "full_text"), str) else tweet


def _is_cut(tweet: Any, body: Any) -> bool:
    """A text that is cut off ends with a link to the post itself."""
    own = f"/status/{part(tweet, 'id_str')}"
    links_to_itself = any(words(link, "expanded_url").endswith(own) for link in entries(body, "entities", "urls"))
    return links_to_itself or (body is tweet and part(tweet, "truncated") is True)


def _referred(tweet: Any) -> list[dict[str, Any]]:
    reposted = part(tweet, "retweeted_status")
    if isinstance(reposted, dict):
        return [{"type": "retweeted", "id": part(reposted, "id_str")}]
    quoted = part(tweet, "quoted_status_id_str")
    return [] if whole(quoted) is None else [{"type": "quoted", "id": quoted}]


def _mentions(body: Any) -> list[dict[str, Any]]:
    named = entries(body, "entities", "user_mentions")
    return [{"id": part(each, "id_str"), "username": part(each, "screen_name")} for each in named]


def _links(body: Any) -> list[dict[str, Any]]:
    return [
        {"url": part(each, "url"), "expanded_url": part(each, "expanded_url")}
        for each in entries(body, "entities", "urls")
    ]


def _media_link(each: Any) -> Mapping[str, Any]:
    return {"url": part(each, "url"), "expanded_url": words(each, "expanded_url"), "media_key": part(each, "id_str")}


def _shown(each: Any) -> dict[str, Any]:
    """Of a film `media_url_https` is the picture that stands for it."""
    kind = part(each, "type")
    return {
        "type": kind,
        "preview_image_url" if kind in ("video", "animated_gif") else "url": part(each, "media_url_https"),
        "alt_text": part(each, "ext_alt_text"),
        "duration_ms": part(each, "video_info", "duration_millis"),
        "variants": [_file(film) for film in entries(each, "video_info", "variants")],
    }


def _file(film: Any) -> dict[str, Any]:
    return {name: part(film, older) for name, older in _FILM.items()}


def _written(said: Any) -> str:
    """ "Wed Oct 10 20:19:24 +0000 2018" as RFC 3339; "" when it is no time."""
    try:
        moment = datetime.strptime(said, "%a %b %d %H:%M:%S %z %Y")
    except (TypeError, ValueError):
        return ""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z"
