"""Which secrets does a text give away, and what is left of it without them?

A recovery phrase, a private key, an API secret, a card number, a password or a one-time code must reach nobody: not
the logs, not the dialogue engine, not the people at the desk. Every search is linear and reads the whole text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bot.understanding.language import language_of
from bot.understanding.secrets.cards import find_cards
from bot.understanding.secrets.characters import find_character_phrases
from bot.understanding.secrets.codes import find_codes
from bot.understanding.secrets.keys import find_keys
from bot.understanding.secrets.password import find_passwords
from bot.understanding.secrets.seed import find_seed_phrases
from bot.understanding.secrets.view import HIDDEN, View, view_of

KINDS: Final = tuple(HIDDEN)
"""Gravest first: of two that overlap, the graver names the stretch."""


@dataclass(frozen=True)
class Secret:
    """One stretch that must not be seen; `start` and `end` are offsets into the text as given."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True)
class Redacted:
    """A text without its secrets, and of which kinds they were, gravest first."""

    text: str
    kinds: tuple[str, ...]


def find_secrets(text: str) -> tuple[Secret, ...]:
    """The secrets of a text in the order they stand; they do not overlap. Never raises."""
    view = view_of(text)
    found = sorted((Secret(kind, *view.span(start, end)) for kind, start, end in _all(view)), key=_place)
    apart: list[Secret] = []
    for secret in found:
        if apart and secret.start < apart[-1].end:
            apart[-1] = _joined(apart[-1], secret)
        else:
            apart.append(secret)
    return tuple(apart)


def redact(text: str) -> Redacted:
    """The text with words of ours, in its own language, where the secrets were."""
    secrets = find_secrets(text) if text else ()
    if not secrets:
        return Redacted(text, ())
    starts, ends = [secret.start for secret in secrets], [secret.end for secret in secrets]
    kept = [text[end:start] for end, start in zip([0, *ends], [*starts, len(text)], strict=True)]
    language = language_of(" ".join(kept)) or language_of(text) or "en"
    pieces = [kept[0]]
    for secret, behind in zip(secrets, kept[1:], strict=True):
        pieces += [HIDDEN[secret.kind][language], behind]
    present = {secret.kind for secret in secrets}
    return Redacted("".join(pieces), tuple(kind for kind in KINDS if kind in present))


def _all(view: View) -> Iterator[tuple[str, int, int]]:
    yield from find_keys(view.text)
    for kind, find in _FINDERS:
        yield from ((kind, start, end) for start, end in find(view.text))


_FINDERS: Final = (
    ("seed_phrase", find_seed_phrases),
    ("seed_phrase", find_character_phrases),
    ("card_number", find_cards),
    ("one_time_code", find_codes),
    ("password", find_passwords),
)


def _place(secret: Secret) -> tuple[int, int]:
    return secret.start, -secret.end


def _joined(one: Secret, other: Secret) -> Secret:
    kind = min(one.kind, other.kind, key=KINDS.index)
    return Secret(kind, one.start, max(one.end, other.end))
