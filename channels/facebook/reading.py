"""What a stored event says: the channel's `read`. It may be asked again and says the same again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import structlog

from channels.contract import Kind, ReadMessage, Words
from channels.facebook.content import Content, content_of
from channels.facebook.ids import ident
from channels.faults import RetryLater
from channels.monitor.attaching import Attaching
from channels.monitor.parts import clean, language_of, part

_REMOVED = {"deletion": "facebook.note_deleted", "comment_removal": "facebook.note_removed"}
_EDITED = {"edit": "facebook.note_edit", "comment_edit": "facebook.note_comment_edit"}
_KINDS = frozenset({"message", "postback", "comment", *_REMOVED, *_EDITED})

log = structlog.get_logger()


class Reader:
    def __init__(self, words: Words, attaching: Attaching) -> None:
        self._words = words
        self._attaching = attaching

    async def read(self, raw: bytes, envelope: Mapping[str, Any], *, fetching: bool = True) -> ReadMessage:
        """Raises RetryLater while a file cannot be fetched, for a while; whatever else is odd becomes a note.
        `fetching`: else files are only counted."""
        unreadable = ReadMessage(text="", note=self._words.say("facebook.note_unreadable", "en"))
        try:
            kept = json.loads(raw)
            kind = part(kept, "kind")
            if kind not in _KINDS:  # nobody could be answered
                return replace(unreadable, kind=Kind.AUTOMATIC)
            return await self._read(kept, kind, envelope, fetching=fetching)
        except RetryLater:
            raise
        except (ValueError, RecursionError):
            return replace(unreadable, kind=Kind.AUTOMATIC)
        except Exception as error:  # we cannot know every JSON that a peer may send
            log.warning("facebook_unreadable", size=len(raw), fault=type(error).__name__)
            return unreadable

    async def _read(self, kept: Any, kind: str, envelope: Mapping[str, Any], *, fetching: bool) -> ReadMessage:
        if kind in _REMOVED:  # it asks nothing of us; what was written stays
            note = self._words.say(_REMOVED[kind], "en", id=_object(kept))
            return ReadMessage(text="", kind=Kind.AUTOMATIC, note=note)
        if isinstance(name := envelope.get("press"), str):
            title = clean(str(envelope.get("title") or name))
            return ReadMessage(text=title, payload=name, thread=_thread(kept, kind, envelope))
        content = content_of(kept)
        language = language_of(content.text)
        attached = await self._attaching.of(content.files, language, fetching=fetching)
        return ReadMessage(
            text=content.text,
            attachments=(*attached.files, *content.things),
            thread=_thread(kept, kind, envelope),
            note=" ".join([*self._about(kept, kind, content, language), *attached.notes])
            or self._note_when_empty(content, bool(attached.files or attached.unfetched), language),
            unfetched=attached.unfetched,
        )

    def _about(self, kept: Any, kind: str, content: Content, language: str) -> list[str]:
        said = []
        if kind in _EDITED:
            said.append(self._words.say(_EDITED[kind], language, id=_object(kept)))
        if content.things:
            said.append(self._words.say("facebook.note_thing", language))
        if content.sticker:
            said.append(self._words.say("facebook.note_sticker", language))
        return said

    def _note_when_empty(self, content: Content, attached: bool, language: str) -> str | None:
        if content.text or attached:
            return None
        return self._words.say("facebook.note_unknown", language)


def _thread(kept: Any, kind: str, envelope: Mapping[str, Any]) -> Mapping[str, str]:
    """What an answer needs: the comment to reply to, or when the person wrote. An edit opens no new time to answer."""
    if kind in ("comment", "comment_edit"):
        return {"object_id": _object(kept), "addressed": "yes"}
    return {"at": str(envelope.get("at", ""))} if kind in ("message", "postback") else {}


def _object(kept: Any) -> str:
    """The id of the message, comment or post that this is about."""
    value, found, event = (part(kept, name) for name in ("value", "found", "event"))
    names = [
        part(value, "comment_id") or part(value, "post_id"),
        part(found, "id"),
        part(event, "message", "mid") or part(event, "message_edit", "mid") or part(event, "postback", "mid"),
    ]
    return next((name for name in names if ident(name) is not None), "")
