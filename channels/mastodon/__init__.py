"""Mastodon: mentions of our account and posts with our words come in by polling; one fixed sentence goes out."""

from __future__ import annotations

from channels.contract import Channel, ChannelContext
from channels.mastodon.channel import MastodonChannel
from channels.mastodon.settings import check


def build(context: ChannelContext) -> Channel:
    """Raises ValueError with a sentence when a setting is wrong. Without an access token the channel is off."""
    return MastodonChannel(context, check(context.settings, context.public_url))
