"""E-mail: complaints come in over SMTP, answers leave through a relay or into a Maildir."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from channels.contract import Channel, ChannelContext


def build(context: ChannelContext) -> Channel:
    """Raises ValueError when a setting of this channel is wrong; the message names it."""
    # Imported here because the parser processes import this package and must start light.
    from channels.mail.channel import MailChannel
    from channels.mail.settings import check

    return MailChannel(context, check(context.settings))
