"""Sends answers, part by part, and says what became of each: sent, to be tried again, refused or unknown."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from telegram import InlineKeyboardMarkup, LinkPreviewOptions
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, TelegramError

from channels.contract import OutboundMessage, SendReceipt
from channels.faults import OutcomeUnknown, Rejected, RetryLater
from channels.split import pieces
from channels.telegram.api import Api, AskedToWait, was_not_sent
from channels.telegram.buttons import Buttons
from channels.telegram.pace import Pace
from channels.telegram.state import State

MAX_UNITS = 4096
"""Of a message's text in UTF-16 code units (Bot API, sendMessage, "after entities parsing")."""
REMEMBERED = 10_000
"""Messages whose sent parts are known."""
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
"""A preview would make Telegram's servers open the links, and ours let somebody in."""


class Sender:
    def __init__(self, api: Callable[[], Api], buttons: Buttons, pace: Pace, state: State) -> None:
        self._api = api
        self._buttons = buttons
        self._pace = pace
        self._state = state
        self._parts: OrderedDict[str, list[int]] = OrderedDict()
        """Telegram's ids of the parts that are sent, by our message id."""

    async def send(self, message: OutboundMessage) -> SendReceipt:
        """Parts that this process knows to be sent are not sent again. Raises RetryLater, Rejected, OutcomeUnknown."""
        chat_id = _chat(message.recipient)
        parts = pieces(message.text, MAX_UNITS)
        sent = self._sent(message.message_id)
        for number in range(len(sent), len(parts)):
            last = number == len(parts) - 1
            keyboard = self._buttons.keyboard(message.buttons, chat_id) if last else None
            sent.append(await self._one(chat_id, parts[number], keyboard))
        return SendReceipt(peer_id=",".join(map(str, sent))[:255])

    async def _one(self, chat_id: int, text: str, keyboard: InlineKeyboardMarkup | None) -> int:
        await self._pace.turn(chat_id)
        try:
            message = await self._api().send_message(
                chat_id, text, reply_markup=keyboard, link_preview_options=NO_PREVIEW
            )
        except AskedToWait as error:
            self._pace.hold(chat_id, error.seconds)
            raise RetryLater("Telegram asked to wait", error.seconds) from error
        except TelegramError as error:
            raise self._judged(error) from error
        except Exception as error:  # the library could not read what the server answered with 200
            raise OutcomeUnknown("Telegram answered something unreadable") from error
        self._state.sent()
        return message.message_id

    def _judged(self, error: TelegramError) -> RetryLater | Rejected | OutcomeUnknown:
        """Fixed sentences: the server's own may repeat what it was sent."""
        match error:
            case Forbidden():
                return Rejected("the user has blocked the bot or deleted the account")
            case BadRequest() if "chat not found" in error.message.lower():
                return Rejected("Telegram knows no such chat")
            case BadRequest() | ChatMigrated():
                return Rejected("Telegram does not take this message")
            case InvalidToken():
                self._state.token_refused()
                return RetryLater("Telegram refuses the bot's token")
            case _ if was_not_sent(error):
                self._state.not_reached(type(error).__name__)
                return RetryLater("Telegram could not be reached or has a fault")
            case _:
                return OutcomeUnknown("Telegram fell silent before it confirmed the message")

    def _sent(self, message_id: str) -> list[int]:
        parts = self._parts.setdefault(message_id, [])
        self._parts.move_to_end(message_id)
        while len(self._parts) > REMEMBERED:
            self._parts.popitem(last=False)
        return parts


def _chat(recipient: str) -> int:
    try:
        return int(recipient)
    except ValueError:
        raise Rejected("the conversation has no chat to write to") from None
