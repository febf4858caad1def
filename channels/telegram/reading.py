"""What a stored update says: the channel's `read`. It may be asked again and says the same again."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog
from telegram import Message, MessageEntity, Update

from channels.contract import Kind, ReadMessage, Words, spoken
from channels.faults import RetryLater
from channels.files_contract import Attachment
from channels.telegram.attaching import Attaching
from channels.telegram.commands import chosen, language_of_button, meaning
from channels.telegram.content import has_service, not_text
from channels.telegram.updates import clean

_CHINESE = re.compile("[\u3400-\u9fff]")

log = structlog.get_logger()


class Reader:
    def __init__(self, bot_id: int, words: Words, attaching: Attaching) -> None:
        self._bot_id = bot_id
        self._words = words
        self._attaching = attaching

    async def read(self, raw: bytes, envelope: Mapping[str, Any], *, fetching: bool = True) -> ReadMessage:
        """Raises RetryLater while a file cannot be fetched, for a while; whatever else is odd becomes a note.
        `fetching`: else files are only counted."""
        unreadable = ReadMessage(text="", note=self._words.say("telegram.note_unreadable", "en"))
        if envelope.get("chat_id") is None:  # nobody could be answered
            return replace(unreadable, kind=Kind.AUTOMATIC)
        try:
            return await self._read(raw, envelope, fetching=fetching)
        except RetryLater:
            raise
        except Exception as error:  # neither the library nor we can know every JSON that a peer may send
            log.warning("telegram_unreadable", size=len(raw), fault=type(error).__name__)
            return unreadable

    async def _read(self, raw: bytes, envelope: Mapping[str, Any], *, fetching: bool) -> ReadMessage:
        if isinstance(name := envelope.get("press"), str):
            if (language := language_of_button(name)) is not None:
                return ReadMessage(text=chosen(language, self._words).text)
            return ReadMessage(text=clean(str(envelope.get("title") or name)), payload=name)
        update = Update.de_json(json.loads(raw), None)
        message = update.message or update.edited_message
        if message is None:
            raise ValueError("no message")
        if (kind := self._kind(message, update)) is not Kind.MESSAGE:
            return ReadMessage(text=_text(message), kind=kind)
        return await self._said(message, update, fetching=fetching)

    async def _said(self, message: Message, update: Update, *, fetching: bool) -> ReadMessage:
        text = _text(message)
        language = self._language(message, text)
        command = None if message.text is None else meaning(text, language, self._words)
        unfetched = 0 if fetching else self._attaching.count(message)
        if unfetched:
            attachments: Sequence[Attachment] = ()
            notes: Sequence[str] = (self._words.say("telegram.note_file_over_cap", language),)
        else:
            attachments, notes = await self._attaching.of(message, update.update_id, language)
        extra, keys = not_text(message)
        if message.sticker is not None and isinstance(message.sticker.emoji, str):
            text = clean(message.sticker.emoji)
        if update.edited_message is not None:
            sent = f"{message.date:%Y-%m-%d %H:%M:%S} UTC"
            notes = (self._words.say("telegram.note_edit", language, number=message.message_id, sent=sent), *notes)
        said = [*notes, *(self._words.say(key, language) for key in keys)]
        return ReadMessage(
            text=text if command is None else clean(command.text),
            attachments=(*_named(attachments), *extra),
            payload=None if command is None else command.payload,
            invitation=None if command is None else command.invitation,
            note=" ".join(said) or self._note_when_empty(text, attachments, language),
            unfetched=unfetched,
        )

    def _note_when_empty(self, text: str, attachments: Sequence[Attachment], language: str) -> str | None:
        return None if text or attachments else self._words.say("telegram.note_unknown", language)

    def _kind(self, message: Message, update: Update) -> Kind:
        author = message.from_user
        if author is not None and author.id == self._bot_id:
            return Kind.OWN
        # A shared live position is edited every few seconds: its first message is answered, its moves are kept.
        moves = update.edited_message is not None and message.location is not None
        if moves or has_service(message) or (author is not None and author.is_bot):
            return Kind.AUTOMATIC
        return Kind.MESSAGE

    def _language(self, message: Message, text: str) -> str:
        author = message.from_user
        of_app = spoken(author.language_code) if author is not None else None
        if _CHINESE.search(text[:1000]):
            return of_app if of_app == "zh-Hant" else "zh"
        return of_app or "en"


def _text(message: Message) -> str:
    """Text or caption. An address that hides behind other words is written out: it is what a swindler wanted opened."""
    text = message.text or message.caption or ""
    entities = message.entities or message.caption_entities
    hidden = [entity.url for entity in entities if entity.type == MessageEntity.TEXT_LINK and entity.url]
    return clean("\n".join([text, *dict.fromkeys(hidden)]))


def _named(attachments: Sequence[Attachment]) -> Sequence[Attachment]:
    return [
        Attachment(filename=clean(file.filename), content_type=clean(file.content_type), data=file.data)
        for file in attachments
    ]
