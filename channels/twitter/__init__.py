"""X (Twitter): mentions of our account and posts with our keywords come in by polling; one fixed sentence goes out."""

from __future__ import annotations

from channels.contract import Channel, ChannelContext
from channels.twitter.channel import XChannel
from channels.twitter.settings import check


def build(context: ChannelContext) -> Channel:
    """Raises ValueError with a sentence when a setting is wrong. Without credentials the channel is off."""
    return XChannel(context, check(context.settings, context.public_url))
