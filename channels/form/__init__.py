"""The complaint form: a page that works without scripts, and a case number as soon as the complaint is stored."""

from __future__ import annotations

from channels.contract import Channel, ChannelContext
from channels.form.channel import FormChannel
from channels.form.settings import read_settings


def build(context: ChannelContext) -> Channel:
    """Raises ValueError with a sentence when a setting is wrong."""
    return FormChannel(context, read_settings(context.settings))
