"""Puts the parts of binding together for the composition root."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from bot.binding.bonds import Bonds
from bot.binding.invitations import CaseInvitations, ChannelInvitations
from bot.binding.policy import Lives
from bot.binding.step import Binding
from bot.binding.tokens import Tokens
from bot.clock import Clock
from bot.hub import Hub
from bot.settings import BindingSettings
from bot.store.store import Store
from channels.contract import Channel, Words


def lives_of(settings: BindingSettings) -> Lives:
    return Lives(
        chat=timedelta(hours=settings.link_hours),
        start=timedelta(minutes=settings.start_minutes),
        code=timedelta(minutes=settings.code_minutes),
    )


@dataclass(frozen=True, kw_only=True)
class Ways:
    """The ways from one conversation to another. `channels` may be filled later."""

    store: Store
    hub: Hub
    clock: Clock
    channels: Mapping[str, Channel]
    bonds: Bonds

    def step(self, *, can_prove: bool) -> Binding:
        return Binding(store=self.store, channels=self.channels, bonds=self.bonds, can_prove=can_prove)

    def of_channel(self, name: str) -> ChannelInvitations:
        return ChannelInvitations(name, self.store, self.hub, self.clock, self.bonds, self.channels)

    def of_cases(self) -> CaseInvitations:
        return CaseInvitations(self.store, self.clock, self.bonds, self.channels)


def build(
    settings: BindingSettings,
    *,
    secret: bytes,
    store: Store,
    hub: Hub,
    clock: Clock,
    words: Words,
    channels: Mapping[str, Channel],
    link_of: Callable[[str, int], str],
) -> Ways:
    bonds = Bonds(
        tokens=Tokens(secret),
        lives=lives_of(settings),
        words=words,
        title=lambda name, language: channels[name].title(language),
        link_of=link_of,
    )
    return Ways(store=store, hub=hub, clock=clock, channels=channels, bonds=bonds)
