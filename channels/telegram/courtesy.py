"""Small answers of the channel itself, beside the conversation: to presses, in groups, and about files.

They are sent in the background and at most once; nothing hangs on their arrival, and none says anything of a case.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from telegram.error import TelegramError

from channels.contract import Words
from channels.faults import RetryLater
from channels.telegram.api import Api
from channels.telegram.pace import Pace
from channels.telegram.sending import NO_PREVIEW
from channels.telegram.updates import Seen, part

MAX_AT_ONCE = 200

log = structlog.get_logger()


class Courtesy:
    def __init__(self, api: Callable[[], Api], words: Words, pace: Pace) -> None:
        self._api = api
        self._words = words
        self._pace = pace
        self._tasks: set[asyncio.Task[None]] = set()

    def confirm_press(self, seen: Seen) -> None:
        self._begin(lambda: self._confirm(seen))

    def refuse_press(self, seen: Seen, *, expired: bool) -> None:
        key = "telegram.button_expired" if expired else "telegram.button_forged"
        text = self._words.say(key, seen.language or "en")
        self._begin(lambda: self._answer_press(seen, text))

    def say(self, chat_id: int, text: str) -> None:
        self._begin(lambda: self._say(chat_id, text))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _confirm(self, seen: Seen) -> None:
        await self._answer_press(seen, None)
        message_id = part(seen.body, "message", "message_id")
        if isinstance(message_id, int):
            await self._api().edit_message_reply_markup(chat_id=seen.chat_id, message_id=message_id, reply_markup=None)

    async def _answer_press(self, seen: Seen, text: str | None) -> None:
        query_id = part(seen.body, "id")
        if isinstance(query_id, str):
            await self._api().answer_callback_query(query_id, text=text, show_alert=text is not None)

    async def _say(self, chat_id: int, text: str) -> None:
        await self._pace.turn(chat_id)
        await self._api().send_message(chat_id, text, link_preview_options=NO_PREVIEW)

    def _begin(self, work: Callable[[], Awaitable[None]]) -> None:
        if len(self._tasks) >= MAX_AT_ONCE:
            return
        task = asyncio.create_task(_quietly(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _quietly(work: Callable[[], Awaitable[None]]) -> None:
    try:
        await work()
    except (TelegramError, RetryLater) as error:
        log.info("telegram_courtesy_failed", fault=type(error).__name__)
