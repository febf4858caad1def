"""From an update to a stored message: both ways of receiving lead through `Receiver.take`."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import structlog

from channels.contract import Accept, Accepted, InboundMessage
from channels.faults import NotStored
from channels.telegram.buttons import Buttons, NotOffered
from channels.telegram.courtesy import Courtesy
from channels.telegram.groups import Groups
from channels.telegram.settings import CHANNEL
from channels.telegram.updates import Seen, Sort, clean, id_of, look, part

ANSWER_SECONDS = 20.0
"""Then the update counts as not stored; a commit that comes later is recognised when the update comes again."""
STOP_SECONDS = 4.5
RETRY_SECONDS = 5.0
"""When to come again after a fault of ours that named no time."""

log = structlog.get_logger()


class Receiver:
    def __init__(self, bot_id: int, accept: Accept, buttons: Buttons, groups: Groups, courtesy: Courtesy) -> None:
        self._bot_id = bot_id
        self._accept = accept
        self._buttons = buttons
        self._groups = groups
        self._courtesy = courtesy
        self._in_hand: set[asyncio.Task[Accepted]] = set()
        self._stopping = False
        self.refused: Counter[str] = Counter()
        """Updates that were not stored since the start, by reason."""

    def start(self) -> None:
        self._stopping = False

    async def take(self, raw: bytes) -> None:
        """Returns when the update is on disk or is none that is kept. Raises NotStored."""
        if self._stopping:
            raise NotStored("the channel is being stopped", RETRY_SECONDS)
        seen = look(raw)
        match seen.sort:
            case Sort.OTHER:
                self.refused["not_asked_for"] += 1
            case Sort.GROUP:
                self.refused["group"] += 1
                self._groups.hear(seen)
            case Sort.PRESS:
                await self._press(seen, raw)
            case Sort.MESSAGE | Sort.ODD:
                await self._store(self._message(seen, raw, id_of(seen, raw), {}))

    async def stop(self) -> None:
        """Takes no more, and waits until what is being stored is stored or refused."""
        self._stopping = True
        if self._in_hand:
            _, left = await asyncio.wait(self._in_hand, timeout=STOP_SECONDS)
            if left:
                log.warning("telegram_stop_incomplete", storing=len(left))

    async def _press(self, seen: Seen, raw: bytes) -> None:
        """A keyboard is good for one press: whoever presses twice in a hurry has not answered two questions."""
        try:
            name = self._buttons.pressed(part(seen.body, "data"), seen.chat_id)
        except NotOffered as fault:
            self.refused["expired_button" if fault.expired else "forged_button"] += 1
            self._courtesy.refuse_press(seen, expired=fault.expired)
            return
        message_id = part(seen.body, "message", "message_id")
        own = f"press:{seen.chat_id}:{message_id}" if isinstance(message_id, int) else id_of(seen, raw)
        await self._store(self._message(seen, raw, own, {"press": name, "title": _title(seen) or name}))
        self._courtesy.confirm_press(seen)

    async def _store(self, message: InboundMessage) -> Accepted:
        """A task of its own, so that a peer that hangs up cannot interrupt the commit. Raises NotStored."""
        task = asyncio.ensure_future(self._accept(message))
        self._in_hand.add(task)
        task.add_done_callback(self._done)
        try:
            done, _ = await asyncio.wait((task,), timeout=ANSWER_SECONDS)
            if not done:
                raise TimeoutError
            return task.result()
        except NotStored:
            self.refused["not_stored"] += 1
            raise
        except Exception as error:
            self.refused["not_stored"] += 1
            raise NotStored(f"the update could not be stored ({type(error).__name__})", RETRY_SECONDS) from error

    def _done(self, task: asyncio.Task[Accepted]) -> None:
        self._in_hand.discard(task)
        if not task.cancelled() and (fault := task.exception()):
            log.warning("telegram_not_stored", fault=type(fault).__name__)

    def _message(self, seen: Seen, raw: bytes, own_id: str, extra: Mapping[str, Any]) -> InboundMessage:
        external_id = f"{self._bot_id}:{own_id}"
        odd = seen.sort is Sort.ODD
        return InboundMessage(
            channel=CHANNEL,
            external_id=external_id,
            conversation_key=f"{external_id}:odd" if odd else f"{self._bot_id}:{seen.chat_id}",
            sender="" if odd else str(seen.chat_id),
            raw=raw,
            received_at=datetime.now(UTC),
            envelope={"update_id": seen.update_id, "chat_id": None if odd else seen.chat_id, **extra},
            language=seen.language,
        )


def _title(seen: Seen) -> str:
    """What stood on the pressed button."""
    rows = part(seen.body, "message", "reply_markup", "inline_keyboard")
    for row in rows if isinstance(rows, list) else ():
        for button in row if isinstance(row, list) else ():
            if part(button, "callback_data") == part(seen.body, "data") and isinstance(part(button, "text"), str):
                return clean(button["text"])
    return ""
