"""The loop behind receiving: it fetches updates, or in webhook mode watches that Telegram can post them."""

from __future__ import annotations

import asyncio
import json
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import structlog
from telegram.error import Conflict, InvalidToken, TelegramError

from channels.contract import Words
from channels.faults import NotStored
from channels.telegram import commands
from channels.telegram.api import ALLOWED_UPDATES, Api, AskedToWait
from channels.telegram.groups import Groups
from channels.telegram.receive import RETRY_SECONDS, Receiver
from channels.telegram.settings import TelegramSettings
from channels.telegram.state import State
from channels.telegram.updates import part

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
WATCH_SECONDS = 60.0
"""Between two looks at the webhook's state."""

log = structlog.get_logger()


class Listener:
    def __init__(
        self,
        settings: TelegramSettings,
        webhook_url: str,
        api: Callable[[], Api],
        receiver: Receiver,
        groups: Groups,
        state: State,
        words: Words,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._settings = settings
        self._webhook_url = webhook_url
        self._api = api
        self._receiver = receiver
        self._groups = groups
        self._state = state
        self._words = words
        self._sleep = sleep
        self._ready = False
        self._just_set = False
        self._offset: int | None = None
        self._failures = 0

    async def run(self) -> None:
        """Until cancelled. No fault ends it: whatever is wrong today may be right tomorrow."""
        while True:
            pause = await self._round()
            if pause > 0:
                await self._sleep(pause)

    async def _round(self) -> float:
        """One request and its consequences; returns the seconds to wait before the next."""
        try:
            if not self._ready:
                await self._prepare()
            pause = await (self._watch() if self._settings.mode == "webhook" else self._fetch())
        except NotStored as fault:
            return self._back_off(fault.after_seconds or RETRY_SECONDS)
        except AskedToWait as fault:
            return self._back_off(fault.seconds)
        except TelegramError as error:
            self._note(error)
            return self._back_off()
        except Exception as error:  # an answer that the library could not read
            log.error("telegram_round_broke", fault=type(error).__name__, exc_info=error)
            self._state.not_reached(type(error).__name__)
            return self._back_off()
        self._failures = 0
        return pause

    async def _prepare(self) -> None:
        """Who we are, what the menu offers, and in which way updates come. Nothing that waits is thrown away."""
        api = self._api()
        self._groups.username = (await api.get_me()).username or ""
        await commands.publish(api, self._words)
        if self._settings.mode == "webhook":
            await api.set_webhook(
                self._webhook_url,
                allowed_updates=ALLOWED_UPDATES,
                secret_token=self._settings.webhook_secret.get_secret_value(),
                drop_pending_updates=False,
            )
        else:
            await api.delete_webhook(drop_pending_updates=False)
        self._ready = self._just_set = True

    async def _fetch(self) -> float:
        """Asks for updates and stores them; the next request confirms those that are stored. Raises NotStored."""
        updates = await self._api().raw_updates(self._offset, self._settings.poll_seconds)
        self._state.heard()
        chats: defaultdict[object, list[Any]] = defaultdict(list)
        for update in sorted(updates, key=lambda each: _number(each) or 0):
            chats[_order(update)].append(update)
        outcomes = await asyncio.gather(*(self._in_order(each) for each in chats.values()))
        left = [update_id for outcome, _ in outcomes for update_id in outcome]
        numbers = [number for update in updates if (number := _number(update)) is not None]
        if numbers:
            self._offset = min(left, default=max(numbers) + 1)
        elif not updates:
            # All is confirmed. After a quiet week Telegram numbers anew, perhaps lower (Bot API, "Update").
            self._offset = None
        fault = next((fault for _, fault in outcomes if fault is not None), None)
        if fault is not None:
            raise fault
        return 0.0 if numbers or not updates else LONGEST_PAUSE_SECONDS

    async def _in_order(self, updates: list[Any]) -> tuple[list[int], NotStored | None]:
        """Stores the updates of one chat. Returns the numbers of those that are not stored, and why."""
        for count, update in enumerate(updates):
            try:
                await self._receiver.take(json.dumps(update, separators=(",", ":")).encode())
            except NotStored as fault:
                return [number for each in updates[count:] if (number := _number(each)) is not None], fault
        return [], None

    async def _watch(self) -> float:
        """Looks whether the webhook is still ours and what Telegram says of its deliveries."""
        info = await self._api().get_webhook_info()
        if info.url != self._webhook_url:
            self._ready = False
            self._state.conflict()
            return FIRST_PAUSE_SECONDS
        age = None if info.last_error_date is None else (datetime.now(UTC) - info.last_error_date).total_seconds()
        fresh = age is not None and age < 2 * WATCH_SECONDS and info.pending_update_count > 0
        # Whoever took the webhook away may do so again: it is ours when it stayed for a while.
        self._state.heard(f"{info.pending_update_count} updates wait" if fresh else "", alone=not self._just_set)
        self._just_set = False
        return WATCH_SECONDS

    def _note(self, error: TelegramError) -> None:
        log.warning("telegram_not_heard", fault=type(error).__name__)
        match error:
            case InvalidToken():
                self._state.token_refused()
            case Conflict():
                self._state.conflict()
            case _:
                self._state.not_reached(type(error).__name__)

    def _back_off(self, at_least: float = 0.0) -> float:
        """1 s, 2 s, 4 s ... at most a minute, and a quarter more by chance, so that many desks do not come at once."""
        pause: float = max(at_least, min(FIRST_PAUSE_SECONDS * 2 ** min(self._failures, 10), LONGEST_PAUSE_SECONDS))
        self._failures += 1
        jitter = 1 + random.random() / 4  # noqa: S311 - no secret hangs on it
        return pause * jitter


def _number(update: Any) -> int | None:
    number = part(update, "update_id")
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def _order(update: Any) -> object:
    """Updates of one chat are stored one after the other, those of different chats together."""
    for path in (("message", "chat", "id"), ("edited_message", "chat", "id"), ("callback_query", "from", "id")):
        if isinstance(chat := part(update, *path), int):
            return chat
    return None
