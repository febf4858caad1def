"""Bluesky: mentions, replies and quotes, and posts with our words, come in by polling; one fixed sentence goes out."""

from __future__ import annotations

from channels.bluesky.channel import BlueskyChannel
from channels.bluesky.settings import check
from channels.contract import Channel, ChannelContext


def build(context: ChannelContext) -> Channel:
    """Raises ValueError with a sentence when a setting is wrong. Without handle and app password the channel is off."""
    return BlueskyChannel(context, check(context.settings, context.public_url))
