"""Every channel with what it needs, so that a channel knows nothing of the desk but the contract."""

from __future__ import annotations

from collections.abc import Mapping

from bot.announcements import ChannelAnnouncements
from bot.attention import ChannelAttention
from bot.bootstrap.parts import Parts, brands
from bot.keys import derive
from bot.settings import SettingsError
from bot.transcript import ChannelTranscript
from bot.uploads import ChannelUploads
from channels import registry
from channels.contract import Accept, Channel, ChannelContext


def make_channels(parts: Parts, accept: Accept) -> Mapping[str, Channel]:
    """Every channel with what it needs. Raises SettingsError when a channel's section is wrong."""
    settings = parts.settings
    scanning = parts.file_care.scanning

    def context(name: str) -> ChannelContext:
        return ChannelContext(
            settings=settings.channel.get(name, {}),
            host=settings.host,
            ports={"smtp": settings.smtp_port},
            exchange_names=brands(settings),
            data_dir=settings.data_dir,
            public_url=settings.url,
            secret=derive(parts.secret, f"channel {name}"),
            accept=accept,
            transcript=ChannelTranscript(name, parts.store, parts.hub, parts.channels, parts.links),
            evidence=parts.evidence,
            uploads=ChannelUploads(name, parts.store, parts.uploads, parts.evidence, parts.clock, scanning=scanning),
            invitations=parts.ways.of_channel(name),
            attention=ChannelAttention(name, parts.store, parts.hub, parts.presence, parts.clock),
            words=parts.words,
            site_origins=settings.site_origins,
            app_token_secret=settings.app_token_secret,
            announcements=ChannelAnnouncements(name, parts.store, parts.clock),
        )

    try:
        return registry.build_all(context, settings.channel)
    except (ValueError, registry.UnknownChannel) as error:
        raise SettingsError(f"Redress cannot start: {error}") from error
