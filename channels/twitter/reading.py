"""What a stored post says: the channel's `read`."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import Any

import structlog

from channels.contract import Kind, ReadMessage, Words
from channels.faults import RetryLater
from channels.monitor.attaching import Attaching
from channels.monitor.impostors import Impostors
from channels.monitor.looking_again import removal_of
from channels.monitor.parts import clean, entries, language_of, part, whole, words
from channels.public_contract import Posing, Public
from channels.twitter.delivered import as_polled
from channels.twitter.media import descriptions_of, files_of
from channels.twitter.settings import XSettings

_LEADING = re.compile(r"^(?:@\w{1,15}(?:\s+|$))+", re.ASCII)
_UNASKED = {"webhook": "twitter.note_aside"}
"""By the way in which a post came."""

log = structlog.get_logger()


class Reader:
    def __init__(self, settings: XSettings, impostors: Impostors, words: Words, attaching: Attaching) -> None:
        self._account_id = settings.account_id
        self._is_own = settings.is_own
        self._most_bytes = settings.max_media_bytes
        self._impostors = impostors
        self._words = words
        self._attaching = attaching

    async def read(self, raw: bytes, envelope: Mapping[str, Any], *, fetching: bool = True) -> ReadMessage:
        """Raises RetryLater while a file cannot be fetched, for a while; whatever else is odd becomes a note.
        `fetching`: else files are only counted."""
        try:
            return await self._read(json.loads(raw), envelope, fetching=fetching)
        except RetryLater:
            raise
        except Exception as error:  # we cannot know every JSON that a peer may send
            log.warning("x_unreadable", size=len(raw), fault=type(error).__name__)
            return ReadMessage(text="", note=self._words.say("twitter.note_unreadable", "en"))

    async def _read(self, kept: Any, envelope: Mapping[str, Any], *, fetching: bool) -> ReadMessage:
        if (removal := removal_of(kept, self._words, "twitter")) is not None:
            return removal
        if isinstance(delivered := part(kept, "delivered"), dict):
            kept = as_polled(delivered)
        post_id, author_id = part(kept, "post", "id"), part(kept, "author", "id")
        if whole(post_id) is None or whole(author_id) is None:
            raise ValueError("no post")
        username = words(kept, "author", "username")
        text = _text(kept)
        addressed = self._addressed(kept, envelope)
        thread = {"post_id": post_id, "username": username, "addressed": "yes" if addressed else "no"}
        # An edit of a post that is stored is kept beside it: it is no second complaint.
        kind = Kind.AUTOMATIC if "changes" in envelope else Kind.MESSAGE
        kind = Kind.OWN if self._is_own(author_id, username) else kind
        wanted = files_of(kept, self._most_bytes) if kind is not Kind.OWN else []
        attached = await self._attaching.of(wanted, language_of(text), fetching=fetching)
        unasked = None if addressed else _UNASKED.get(str(envelope.get("feed")), "twitter.note_keyword")
        notes = [*self._notes(kept, text, unasked), *attached.notes]
        if not text and not attached.files and not attached.unfetched:
            notes.append(self._words.say("twitter.note_empty", language_of(text)))
        note = " ".join(notes) or None
        posing = None if kind is Kind.OWN else self._posing(kept, envelope, addressed=addressed)
        return ReadMessage(
            text=text,
            kind=kind,
            attachments=tuple(attached.files),
            thread=thread,
            note=note,
            public=Public(posing=posing, addressed=addressed),
            unfetched=attached.unfetched,
        )

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

    def _notes(self, kept: Any, text: str, unasked: str | None) -> list[str]:
        """`unasked`: the sentence about a post that does not address us."""
        language = language_of(text)
        notes = [] if unasked is None else [self._words.say(unasked, language)]
        history = [each for each in entries(kept, "post", "edit_history_tweet_ids") if whole(each) is not None]
        if (edits := history.index(kept["post"]["id"]) if kept["post"]["id"] in history else 0) > 0:
            notes.append(self._words.say("twitter.note_edit", language, count=edits, first=history[0]))
        if said := descriptions_of(kept):
            notes.append(self._words.say("twitter.note_described", language, descriptions=" / ".join(said)))
        if quoted := _quoted(kept):
            notes.append(self._words.say("twitter.note_quote", language, link=f"https://x.com/i/status/{quoted}"))
        if part(kept, "cut") is True:
            link = f"https://x.com/i/status/{kept['post']['id']}"
            notes.append(self._words.say("twitter.note_cut", language, link=link))
        return notes


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


def _quoted(kept: Any) -> str | None:
    referred = entries(kept, "post", "referenced_tweets")
    quoted = next((part(each, "id") for each in referred if part(each, "type") == "quoted"), None)
    return quoted if whole(quoted) is not None else None
