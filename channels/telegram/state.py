"""Whether Telegram hears us and we hear Telegram, as sentences for the operator."""

from __future__ import annotations

import time
from collections.abc import Callable

TROUBLE_AFTER_SECONDS = 60.0


class State:
    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._heard = False
        self._refused = False
        self._conflict = False
        self._webhook_fault = ""
        self._failing_since: float | None = None
        self._fault = ""

    def heard(self, webhook_fault: str = "", *, alone: bool = True) -> None:
        """A request for updates, or for the webhook's state, went well.

        `webhook_fault`: what Telegram says of its deliveries; `alone`: whether nobody else was seen to receive.
        """
        self._heard, self._refused = True, False
        self._conflict = self._conflict and not alone
        self._failing_since = None
        self._webhook_fault = webhook_fault

    def sent(self) -> None:
        """A message was taken, so the token is good."""
        self._refused = False

    def token_refused(self) -> None:
        self._refused = True

    def conflict(self) -> None:
        self._conflict = True

    def not_reached(self, fault: str) -> None:
        self._failing_since = self._monotonic() if self._failing_since is None else self._failing_since
        self._fault = fault

    @property
    def well(self) -> bool:
        """Updates have come our way, and nothing is known to be in theirs."""
        wrong = self._refused or self._conflict or self._webhook_fault or self._failing_since is not None
        return self._heard and not wrong

    def deaf(self) -> str | None:
        if self._refused:
            return "Telegram refuses the bot's token; check channel.telegram.token and api_url"
        return None

    def trouble(self) -> str | None:
        if self._conflict:
            return (
                "Telegram gives the bot's updates to somebody else: another program asks for them, or a webhook is "
                "set; a bot has one receiver only"
            )
        if self._webhook_fault:
            return f"Telegram cannot post updates to us: {self._webhook_fault}"
        if self._failing_since is None or self._monotonic() - self._failing_since < TROUBLE_AFTER_SECONDS:
            return None
        return f"Telegram cannot be reached ({self._fault})"
