"""Puts the parts of proving together for the composition root."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from bot.alarm import Ring
from bot.clock import Clock
from bot.identity.codes import Codes
from bot.identity.covering import LetterWords
from bot.identity.dialogue import Identity
from bot.identity.directory import BackOfficeDirectory
from bot.identity.letters import WriteLetter, forget_code
from bot.identity.policy import Limits
from bot.identity.steps import FORGET_TIMER, LETTER_TIMER
from bot.settings import IdentitySettings
from bot.store.store import Store
from channels.contract import Words


@dataclass(frozen=True, kw_only=True)
class Proofs:
    """`identity` is None when no exchange can be asked who is registered with it: then nothing is offered."""

    identity: Identity | None
    directory: BackOfficeDirectory | None
    timers: Mapping[str, Ring]

    async def close(self) -> None:
        if self.directory is not None:
            await self.directory.close()


def limits_of(settings: IdentitySettings) -> Limits:
    return Limits(
        code_life=timedelta(minutes=settings.code_minutes),
        tries=settings.code_tries,
        sends=settings.codes_per_day,
        proof_life=timedelta(hours=settings.proof_hours),
    )


def build(
    settings: IdentitySettings,
    *,
    backoffice: tuple[str, str],
    secret: bytes,
    store: Store,
    words: Words,
    exchange: Mapping[str, str],
    clock: Clock,
    letters: Callable[[], str | None],
) -> Proofs:
    """`backoffice` is its address ("" for none) and token, `letters` names the channel that reaches e-mail."""
    limits, codes = limits_of(settings), Codes(secret)
    url, token = backoffice
    directory = BackOfficeDirectory(url, token, settings.backoffice_seconds) if url else None
    identity = None
    if directory is not None:
        letter = LetterWords(words, exchange, limits)
        identity = Identity(store=store, directory=directory, codes=codes, limits=limits, clock=clock, letter=letter)
    write = WriteLetter(words=words, codes=codes, limits=limits, exchange=exchange, channel=letters)
    return Proofs(identity=identity, directory=directory, timers={LETTER_TIMER: write, FORGET_TIMER: forget_code})
