"""The phone desk: calls and letters that an agent keys in, and answers that an agent tells or posts."""

from __future__ import annotations

from channels.contract import Channel, ChannelContext
from channels.phone_desk.channel import PhoneDeskChannel
from channels.phone_desk.settings import read_settings


def build(context: ChannelContext) -> Channel:
    """Raises ValueError with a sentence when a setting is wrong."""
    return PhoneDeskChannel(context, read_settings(context.settings))
