"""Facebook: private messages to our page are answered in full, comments on it with one fixed sentence."""

from __future__ import annotations

from channels.contract import Channel, ChannelContext
from channels.facebook.channel import FacebookChannel
from channels.facebook.settings import check


def build(context: ChannelContext) -> Channel:
    """Raises ValueError with a sentence when a setting is wrong. Without credentials the channel is off."""
    return FacebookChannel(context, check(context.settings, context.public_url))
