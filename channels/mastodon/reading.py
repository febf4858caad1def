"""What a stored post says: the channel's `read`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from channels.contract import Kind, ReadMessage, Words
from channels.faults import RetryLater
from channels.mastodon.html_text import text_of
from channels.mastodon.media import descriptions_of, files_of
from channels.mastodon.pages import ID
from channels.monitor.attaching import Attaching
from channels.monitor.impostors import Impostors
from channels.monitor.looking_again import removal_of
from channels.monitor.parts import clean, entries, language_of, part, words
from channels.public_contract import Posing, Public

PUBLIC = ("public", "unlisted")
_ACCT = re.compile(r"[\w.-]+(?:@[\w.:-]+)?", re.ASCII)
_LEADING = re.compile(r"^(?:@[\w.-]+(?:@[\w.-]+)?(?:\s+|$))+", re.ASCII)

log = structlog.get_logger()


class Reader:
    def __init__(
        self,
        is_own: Callable[[str], bool],
        impostors: Impostors,
        base_url: str,
        wording: Words,
        attaching: Attaching,
    ) -> None:
        """`base_url`: of our server, which shows the posts of all others, too."""
        self._is_own = is_own
        self._impostors = impostors
        self._base_url = base_url
        self._words = wording
        self._attaching = attaching

    async def read(self, raw: bytes, envelope: Mapping[str, Any], *, fetching: bool = True) -> ReadMessage:
        """Raises RetryLater while a file cannot be fetched, for a while; whatever else is odd becomes a note.
        `fetching`: else files are only counted."""
        try:
            kept = json.loads(raw)
            return removal_of(kept, self._words, "mastodon") or await self._read(
                part(kept, "status"), envelope, fetching=fetching
            )
        except RetryLater:
            raise
        except Exception as error:  # we cannot know every JSON that a peer may send
            log.warning("mastodon_unreadable", size=len(raw), fault=type(error).__name__)
            return ReadMessage(text="", note=self._words.say("mastodon.note_unreadable", "en"))

    async def _read(self, status: Any, envelope: Mapping[str, Any], *, fetching: bool) -> ReadMessage:
        post_id, author_id = words(status, "id"), words(status, "account", "id")
        if not ID.fullmatch(post_id) or not ID.fullmatch(author_id):
            raise ValueError("no post")
        own_id = envelope.get("account")
        named = [part(mention, "id") for mention in entries(status, "mentions")]
        addressed = envelope.get("feed") == "mentions" or own_id in named
        text = _text(status)
        thread = {
            "post_id": post_id,
            "username": words(status, "account", "acct"),
            "visibility": words(status, "visibility"),
            "addressed": "yes" if addressed else "no",
        }
        kind = self._kind(status, is_ours=author_id == own_id, is_change="changes" in envelope)
        wanted = files_of(status) if kind is not Kind.OWN else []
        attached = await self._attaching.of(wanted, language_of(text), fetching=fetching)
        notes = [*self._notes(status, text, addressed=addressed), *attached.notes]
        if not text and not attached.files and not attached.unfetched:
            notes.append(self._words.say("mastodon.note_empty", language_of(text)))
        note = " ".join(notes) or None
        posing = None if kind is Kind.OWN else self._posing(status, envelope, addressed=addressed)
        return ReadMessage(
            text=text,
            kind=kind,
            attachments=tuple(attached.files),
            thread=thread,
            note=note,
            public=Public(posing=posing, addressed=addressed),
            unfetched=attached.unfetched,
        )

    def _posing(self, status: Any, envelope: Mapping[str, Any], *, addressed: bool) -> Posing | None:
        """The link leads to our own server: an address on the author's may be anything."""
        account, answered = words(status, "account", "acct"), part(status, "in_reply_to_account_id")
        left_out = (None, envelope.get("account"), words(status, "account", "id"))
        named = [part(mention, "id") for mention in entries(status, "mentions")]
        answers = [each for each in (*named, answered) if each not in left_out]
        return self._impostors.posing(
            envelope,
            name=words(status, "account", "display_name"),
            handle=account,
            link=f"{self._base_url}/@{account}/{words(status, 'id')}" if _ACCT.fullmatch(account) else "",
            answers=answers,
            before_us=addressed and answered in answers,
        )

    def _kind(self, status: Any, *, is_ours: bool, is_change: bool) -> Kind:
        """An edit of a post that is stored is kept beside it: it is no second complaint."""
        if is_ours or self._is_own(words(status, "account", "acct")):
            return Kind.OWN
        robot = part(status, "account", "bot") is True or part(status, "account", "group") is True
        return Kind.AUTOMATIC if robot or is_change else Kind.MESSAGE

    def _notes(self, status: Any, text: str, *, addressed: bool) -> list[str]:
        language = language_of(text)
        notes = [] if addressed else [self._words.say("mastodon.note_found", language)]
        visibility = words(status, "visibility")
        if visibility not in PUBLIC:
            notes.append(self._words.say("mastodon.note_direct", language))
        if edited := words(status, "edited_at"):
            notes.append(self._words.say("mastodon.note_edit", language, at=edited[:40], first=words(status, "id")))
        if said := descriptions_of(status):
            notes.append(self._words.say("mastodon.note_described", language, descriptions=" / ".join(said)))
        if quoted := words(status, "quote", "quoted_status", "url"):
            notes.append(self._words.say("mastodon.note_quote", language, link=quoted))
        return notes


def _text(status: Any) -> str:
    """A content warning is the author's own words, and often the only ones that say what it is about."""
    body = part(status, "content")
    text = _LEADING.sub("", clean(text_of(body))) if isinstance(body, str) else ""
    options = [f"- {words(option, 'title')}" for option in entries(status, "poll", "options")]
    return "\n\n".join(piece for piece in (words(status, "spoiler_text"), text, "\n".join(options)) if piece)
