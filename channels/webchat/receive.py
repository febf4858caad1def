"""From a frame to a stored message: limits, then `accept`, and only then may the user hear "stored"."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from channels.contract import Accept, Accepted, InboundMessage, Transcript, Words
from channels.faults import NotStored
from channels.live_contract import Upload, UploadRefused, Uploads
from channels.web.budget import Budgets
from channels.webchat.frames import Message, Press
from channels.webchat.settings import WebChatSettings
from channels.webchat.tokens import Proof

CHANNEL = "webchat"
RETRY_SECONDS = 5.0
"""When to try again after a fault of ours that named no time."""
ALWAYS_OFFERED: Mapping[str, str] = {
    "person": "webchat.person_title",
    "subscribe": "webchat.subscribe_title",
    "unsubscribe": "webchat.unsubscribe_title",
}
"""Buttons that need no offer: a client may show them all the time."""


class Refused(Exception):
    """The message was not taken. `code` names the sentence `webchat.error_<code>`."""

    def __init__(self, code: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.retry_after_seconds = retry_after_seconds


@dataclass
class Speaker:
    """Who writes on a connection, as far as it is proven."""

    session_id: str
    language: str
    proof: Proof | None = None


class Receiver:
    def __init__(
        self,
        settings: WebChatSettings,
        accept: Accept,
        uploads: Uploads,
        transcript: Transcript,
        words: Words,
        budgets: Budgets,
    ) -> None:
        self._settings = settings
        self._accept = accept
        self._uploads = uploads
        self._transcript = transcript
        self._words = words
        self._budgets = budgets
        self._in_hand: set[asyncio.Task[Accepted]] = set()
        self._stopping = False
        self.refused: Counter[str] = Counter()
        """What was not taken since the start, by the code its sender was told."""

    async def message(self, speaker: Speaker, frame: Message, raw: bytes) -> Accepted:
        """Raises Refused."""
        if not frame.text.strip() and not frame.files:
            raise Refused("empty")
        if len(frame.files) > self._settings.max_files_per_message:
            raise Refused("too_many_in_message")
        if len(frame.text) > self._settings.max_characters:
            raise Refused("too_long")
        self._count(speaker)
        return await self._save(speaker, frame.id, raw, {"type": "message"}, frame.files)

    async def press(self, speaker: Speaker, frame: Press, raw: bytes) -> Accepted:
        """Raises Refused, also for a button that nobody offered in this conversation."""
        self._count(speaker)
        title = await self._title(speaker, frame.button)
        if title is None:
            raise Refused("unknown_button")
        return await self._save(speaker, frame.id, raw, {"type": "press", "title": title})

    async def stop(self) -> None:
        """Takes no more messages, and waits until those in hand are stored or refused."""
        self._stopping = True
        if self._in_hand:
            await asyncio.wait(self._in_hand)

    def _count(self, speaker: Speaker) -> None:
        if wait_seconds := self._budgets.of(speaker.session_id).take():
            raise Refused("too_fast", wait_seconds)

    async def _title(self, speaker: Speaker, button: str) -> str | None:
        for entry in reversed(await self._transcript.entries(speaker.session_id, 0)):
            if title := dict(entry.buttons).get(button):
                return title
        key = ALWAYS_OFFERED.get(button)
        return None if key is None else self._words.say(key, speaker.language)

    async def _save(
        self, speaker: Speaker, client_id: str, raw: bytes, extra: Mapping[str, Any], files: Sequence[str] = ()
    ) -> Accepted:
        """A task of its own, so that a client that hangs up cannot interrupt the commit."""
        if self._stopping:
            raise Refused("not_saved", RETRY_SECONDS)
        task = asyncio.create_task(self._store(_inbound(speaker, client_id, raw, extra), files))
        self._in_hand.add(task)
        task.add_done_callback(self._done)
        done, _ = await asyncio.wait({task}, timeout=self._settings.save_seconds)
        if not done:
            raise Refused("not_saved", RETRY_SECONDS)
        try:
            return task.result()
        except NotStored as error:
            raise Refused("not_saved", error.after_seconds or RETRY_SECONDS) from error
        except UploadRefused as error:
            raise Refused(error.fault.value) from error

    async def _store(self, message: InboundMessage, files: Sequence[str]) -> Accepted:
        """Files are given to the message first: the commit that stores it then names what is surely there."""
        if files:
            unique = tuple(dict.fromkeys(files))
            claimed = await self._uploads.claim(message.conversation_key, unique, message.external_id)
            message = replace(message, envelope={**message.envelope, "files": [_described(file) for file in claimed]})
        return await self._accept(message)

    def _done(self, task: asyncio.Task[Accepted]) -> None:
        """Looks at the outcome even when nobody waits for it any more (the client will repeat the message)."""
        self._in_hand.discard(task)
        if not task.cancelled():
            task.exception()


def _described(file: Upload) -> dict[str, Any]:
    return {
        "id": file.id,
        "name": file.filename,
        "size": file.size,
        "sha256": file.sha256,
        "type": file.content_type,
    }


def _inbound(speaker: Speaker, client_id: str, raw: bytes, extra: Mapping[str, Any]) -> InboundMessage:
    return InboundMessage(
        channel=CHANNEL,
        external_id=f"{speaker.session_id}:{client_id}",
        conversation_key=speaker.session_id,
        sender=speaker.session_id,
        raw=raw,
        received_at=datetime.now(UTC),
        envelope={"client_id": client_id, "language": speaker.language, **extra},
        account=None if speaker.proof is None else speaker.proof.account,
        language=speaker.language,
    )
