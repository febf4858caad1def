"""What a stored post says: the channel's `read`."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from channels.contract import Kind, ReadMessage, Words
from channels.monitor.impostors import Impostors
from channels.monitor.looking_again import removal_of
from channels.monitor.parts import clean, entries, language_of, part, whole, words
from channels.public_contract import Posing, Public

_LEADING = re.compile(r"^(?:@\w{1,15}(?:\s+|$))+", re.ASCII)

log = structlog.get_logger()


class Reader:
    def __init__(self, account_id: str, is_own: Callable[[str, str], bool], impostors: Impostors, words: Words) -> None:
        self._account_id = account_id
        self._is_own = is_own
        self._impostors = impostors
        self._words = words

    def read(self, raw: bytes, envelope: Mapping[str, Any]) -> ReadMessage:
        """Never fails: what is odd becomes a note."""
        try:
            return self._read(json.loads(raw), envelope)
        except Exception as error:  # we cannot know every JSON that a peer may send
            log.warning("x_unreadable", size=len(raw), fault=type(error).__name__)
            return ReadMessage(text="", note=self._words.say("twitter.note_unreadable", "en"))

    def _read(self, kept: Any, envelope: Mapping[str, Any]) -> ReadMessage:
        if (removal := removal_of(kept, self._words, "twitter")) is not None:
            return removal
        post_id, author_id = part(kept, "post", "id"), part(kept, "author", "id")
        if whole(post_id) is None or whole(author_id) is None:
            raise ValueError("no post")
        username = words(kept, "author", "username")
        text = _text(kept)
        addressed = self._addressed(kept, envelope)
        thread = {"post_id": post_id, "username": username, "addressed": "yes" if addressed else "no"}
        # An edit of a post that is stored is kept beside it: it is no second complaint.
        kind = Kind.AUTOMATIC if "changes" in envelope else Kind.MESSAGE
        note = self._note(kept, text, addressed=addressed)
        if self._is_own(author_id, username):
            return ReadMessage(text=text, kind=Kind.OWN, thread=thread, note=note)
        public = Public(posing=self._posing(kept, envelope, addressed=addressed), addressed=addressed)
        return ReadMessage(text=text, kind=kind, thread=thread, note=note, public=public)

    def _addressed(self, kept: Any, envelope: Mapping[str, Any]) -> bool:
        """Whether the author speaks to us: only then may a machine reply in public (X's automation rules)."""
        return envelope.get("feed") == "mentions" or self._account_id in _spoken_to(kept)

    def _posing(self, kept: Any, envelope: Mapping[str, Any], *, addressed: bool) -> Posing | None:
        left_out = (None, self._account_id, kept["author"]["id"])
        answers = [each for each in _spoken_to(kept) if each not in left_out]
        return self._impostors.posing(
            envelope,
            name=words(kept, "author", "name"),
            handle=words(kept, "author", "username"),
            link=f"https://x.com/i/status/{kept['post']['id']}",
            answers=answers,
            before_us=addressed and part(kept, "post", "in_reply_to_user_id") in answers,
        )

    def _note(self, kept: Any, text: str, *, addressed: bool) -> str | None:
        language = language_of(text)
        notes = [] if addressed else [self._words.say("twitter.note_keyword", language)]
        history = [each for each in entries(kept, "post", "edit_history_tweet_ids") if whole(each) is not None]
        if (edits := history.index(kept["post"]["id"]) if kept["post"]["id"] in history else 0) > 0:
            notes.append(self._words.say("twitter.note_edit", language, count=edits, first=history[0]))
        if media := _media(kept):
            notes.append(self._words.say("twitter.note_media", language, links=" ".join(media)))
        if quoted := _quoted(kept):
            notes.append(self._words.say("twitter.note_quote", language, link=f"https://x.com/i/status/{quoted}"))
        if not text:
            notes.append(self._words.say("twitter.note_empty", language))
        return " ".join(notes) or None


def _spoken_to(kept: Any) -> list[Any]:
    """The ids of those whom the post names, and of the one whom it answers."""
    named = [part(mention, "id") for mention in entries(kept, "post", "entities", "mentions")]
    return [*named, part(kept, "post", "in_reply_to_user_id")]


def _text(kept: Any) -> str:
    """The whole post, also a long one, without the names it begins with; shortened links are written out."""
    long = part(kept, "post", "note_tweet")
    body = long if isinstance(part(long, "text"), str) else part(kept, "post")
    text = part(body, "text")
    if not isinstance(text, str):
        return ""
    for link in [*entries(body, "entities", "urls"), *entries(kept, "post", "entities", "urls")]:
        short, full = part(link, "url"), part(link, "expanded_url")
        if isinstance(short, str) and short and isinstance(full, str):
            text = text.replace(short, "" if part(link, "media_key") else full)
    return _LEADING.sub("", clean(html.unescape(text)))


def _media(kept: Any) -> list[str]:
    links = [part(item, "url") or part(item, "preview_image_url") for item in entries(kept, "media")]
    return [clean(link) for link in links if isinstance(link, str)]


def _quoted(kept: Any) -> str | None:
    referred = entries(kept, "post", "referenced_tweets")
    quoted = next((part(each, "id") for each in referred if part(each, "type") == "quoted"), None)
    return quoted if whole(quoted) is not None else None
