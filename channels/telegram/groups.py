"""In groups the bot is silent; to whoever addresses it, it says once a day where to talk in private."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from channels.contract import Words
from channels.telegram.commands import NAMES
from channels.telegram.courtesy import Courtesy
from channels.telegram.updates import Seen, part

MANY_GROUPS = 10_000
_COMMAND = re.compile(r"/([a-z_]{1,32})(?:@([A-Za-z0-9_]{1,64}))?(?:\s|$)")


class Groups:
    """`username` is filled in when Telegram has told it; before that nobody can be invited."""

    def __init__(
        self, bot_id: int, words: Words, courtesy: Courtesy, now: Callable[[], datetime] | None = None
    ) -> None:
        self._bot_id = bot_id
        self._words = words
        self._courtesy = courtesy
        self._now = now or (lambda: datetime.now(UTC))
        self._told: dict[int, date] = {}
        self.username = ""

    def hear(self, seen: Seen) -> None:
        """Nothing of a group is stored, and nothing that is said there depends on anybody's case."""
        if not self.username or seen.kind != "message" or not self._is_addressed(seen.body):
            return
        today = self._now().date()
        if self._told.get(seen.chat_id) == today:
            return
        if len(self._told) >= MANY_GROUPS:
            self._told = {chat_id: day for chat_id, day in self._told.items() if day == today}
        self._told[seen.chat_id] = today
        link = f"https://t.me/{self.username}"
        text = "\n\n".join(self._words.say("telegram.in_private", language, link=link) for language in ("en", "zh"))
        self._courtesy.say(seen.chat_id, text)

    def _is_addressed(self, message: Mapping[str, Any]) -> bool:
        if part(message, "from", "is_bot") is not False:  # other bots, and who speaks as a channel
            return False
        if part(message, "reply_to_message", "from", "id") == self._bot_id:
            return True
        text = part(message, "text") or part(message, "caption")
        if not isinstance(text, str):
            return False
        return self._is_command(text) or self._is_mention(text)

    def _is_command(self, text: str) -> bool:
        found = _COMMAND.match(text)
        if found is None or found[1] not in NAMES:
            return False
        return found[2] is None or found[2].lower() == self.username.lower()

    def _is_mention(self, text: str) -> bool:
        return re.search(rf"(?<![\w@])@{re.escape(self.username)}(?!\w)", text, re.IGNORECASE) is not None
