"""Live chat: a WebSocket protocol for pages and native apps, and the widget that speaks it."""

from __future__ import annotations

from channels.contract import Channel, ChannelContext
from channels.webchat.channel import WebChat
from channels.webchat.settings import read_settings


def build(context: ChannelContext) -> Channel:
    """Raises ValueError with a sentence when a setting is wrong."""
    return WebChat(context, read_settings(context.settings))
