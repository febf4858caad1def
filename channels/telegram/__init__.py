"""Telegram: complaints come in as updates of a bot, by polling or webhook; answers leave through the Bot API."""

from __future__ import annotations

from channels.contract import Channel, ChannelContext
from channels.telegram.off import Off
from channels.telegram.settings import check


def build(context: ChannelContext) -> Channel:
    """Raises ValueError with a sentence when a setting is wrong. Without a token the channel is off."""
    settings = check(context.settings, context.public_url)
    if not settings.bot_id:
        return Off(context, settings)
    from channels.telegram.channel import TelegramChannel

    return TelegramChannel(context, settings)
