"""What a stored post says: the channel's `read`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import structlog

from channels.bluesky.media import descriptions_of, embeds_of, files_of, has_film
from channels.bluesky.pages import POST
from channels.bluesky.rich_text import named, written_out
from channels.bluesky.settings import BlueskySettings
from channels.contract import Kind, ReadMessage, Words
from channels.faults import RetryLater
from channels.monitor.attaching import Attaching
from channels.monitor.impostors import Impostors
from channels.monitor.looking_again import removal_of
from channels.monitor.parts import clean, entries, language_of, part, words
from channels.public_contract import Posing, Public

_LEADING = re.compile(r"^(?:@[\w.-]+(?:\s+|$))+", re.ASCII)

log = structlog.get_logger()


class Reader:
    def __init__(self, settings: BlueskySettings, impostors: Impostors, wording: Words, attaching: Attaching) -> None:
        self._is_own = settings.is_own
        self._media_url = settings.media_url
        self._impostors = impostors
        self._words = wording
        self._attaching = attaching

    async def read(self, raw: bytes, envelope: Mapping[str, Any], *, fetching: bool = True) -> ReadMessage:
        """Raises RetryLater while a file cannot be fetched, for a while; whatever else is odd becomes a note.
        `fetching`: else files are only counted."""
        try:
            kept = json.loads(raw)
            return removal_of(kept, self._words, "bluesky") or await self._read(
                part(kept, "post"), envelope, fetching=fetching
            )
        except RetryLater:
            raise
        except Exception as error:  # we cannot know every JSON that a peer may send
            log.warning("bluesky_unreadable", size=len(raw), fault=type(error).__name__)
            return ReadMessage(text="", note=self._words.say("bluesky.note_unreadable", "en"))

    async def _read(self, post: Any, envelope: Mapping[str, Any], *, fetching: bool) -> ReadMessage:
        own_did, is_change = str(envelope.get("account", "")), "changes" in envelope
        found = POST.fullmatch(words(post, "uri"))
        if found is None:
            raise ValueError("no post")
        record, author_id = part(post, "record"), words(post, "author", "did")
        parent, root = words(record, "reply", "parent", "uri"), part(record, "reply", "root")
        addressed = bool(own_did) and (own_did in named(record) or parent.startswith(f"at://{own_did}/"))
        text = _text(record)
        is_reply = POST.fullmatch(words(root, "uri")) is not None
        thread = {
            "uri": found.group(),
            "root_uri": words(root, "uri") if is_reply else found.group(),
            "root_cid": words(root, "cid") if is_reply else words(post, "cid"),
            "username": words(post, "author", "handle"),
            "addressed": "yes" if addressed else "no",
        }
        address = f"https://bsky.app/profile/{found[1]}/post/{found[2]}"
        notes = [self._words.say("bluesky.note_edit", language_of(text), link=address)] if is_change else []
        notes += self._notes(post, text, address, addressed=addressed)
        kind = self._kind(post, is_ours=author_id == own_did, is_change=is_change)
        wanted = files_of(record, found[1], self._media_url) if kind is not Kind.OWN else []
        attached = await self._attaching.of(wanted, language_of(text), fetching=fetching)
        notes += attached.notes
        if not text and not attached.files and not attached.unfetched:
            notes.append(self._words.say("bluesky.note_empty", language_of(text)))
        note = " ".join(notes) or None
        posing = None if kind is Kind.OWN else self._posing(post, envelope, address)
        return ReadMessage(
            text=text,
            kind=kind,
            attachments=tuple(attached.files),
            thread=thread,
            note=note,
            public=Public(posing=posing, addressed=addressed),
            unfetched=attached.unfetched,
        )

    def _posing(self, post: Any, envelope: Mapping[str, Any], address: str) -> Posing | None:
        """Whoever is answered is told by the addresses of the post above and of the one that the talk began with."""
        own_did, record = str(envelope.get("account", "")), part(post, "record")
        above, first = (POST.fullmatch(words(record, "reply", each, "uri")) for each in ("parent", "root"))
        there = {found[1] for found in (above, first) if found}
        ours_and_own = (own_did, words(post, "author", "did"))
        return self._impostors.posing(
            envelope,
            name=words(post, "author", "displayName"),
            handle=words(post, "author", "handle"),
            link=address,
            answers=[each for each in (*named(record), *sorted(there)) if each not in ours_and_own],
            before_us=above is not None and above[1] not in ours_and_own and own_did in {*there, *named(record)},
        )

    def _kind(self, post: Any, *, is_ours: bool, is_change: bool) -> Kind:
        """An edit of a post that is stored is kept beside it: it is no second complaint."""
        if is_ours or self._is_own(words(post, "author", "handle")):
            return Kind.OWN
        return Kind.AUTOMATIC if is_change or _says_it_is_a_robot(part(post, "author")) else Kind.MESSAGE

    def _notes(self, post: Any, text: str, address: str, *, addressed: bool) -> list[str]:
        language, record = language_of(text), part(post, "record")
        notes = [] if addressed else [self._words.say("bluesky.note_found", language)]
        if warnings := [words(label, "val")[:100] for label in entries(record, "labels", "values")]:
            notes.append(self._words.say("bluesky.note_warning", language, labels=", ".join(warnings)))
        if has_film(record):
            notes.append(self._words.say("bluesky.note_film", language, link=address))
        if said := descriptions_of(record):
            notes.append(self._words.say("bluesky.note_described", language, descriptions=" / ".join(said)))
        if quoted := POST.fullmatch(_quoted(record)):
            link = f"https://bsky.app/profile/{quoted[1]}/post/{quoted[2]}"
            notes.append(self._words.say("bluesky.note_quote", language, link=link))
        return notes


def _text(record: Any) -> str:
    """With the address of a page that is shown as a card, if the text does not name it."""
    body = part(record, "text")
    text = _LEADING.sub("", clean(written_out(body, record))) if isinstance(body, str) else ""
    card = next((uri for embed in embeds_of(record) if (uri := words(embed, "external", "uri"))), "")
    return f"{text}\n\n{card}".strip() if card and card not in text else text


def _quoted(record: Any) -> str:
    embed = part(record, "embed")
    return words(embed, "record", "uri") or words(embed, "record", "record", "uri")


def _says_it_is_a_robot(author: Any) -> bool:
    """By its own label. What others label it proves nothing, and would silence whom they please."""
    return any(
        part(label, "val") == "bot" and part(label, "src") == part(author, "did") and part(label, "neg") is not True
        for label in entries(author, "labels")
    )
