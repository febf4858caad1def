"""Which of the things we listen for does a text say? The word lists are data: `lexicon/en.json`, `lexicon/zh.json`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from bot.understanding.folding import fold
from bot.understanding.language import Language

_LEXICON: Final = Path(__file__).parent / "lexicon"
_SENTENCE: Final = re.compile(r"[!?;。！？；\r\n]+|(?<!\.)\.+(?=[\s㐀-鿿]|$)")
_CLAUSE: Final = re.compile(r"[,，、:：]")

DENIABLE: Final = frozenset(
    {
        "theft", "scam", "data_leak", "frozen", "wrong_network", "legal", "regulator", "refund_dispute",
        "liquidation", "person_asked", "distress",
    }
)  # fmt: skip
"""Features that a "not" in front takes back, and that a "what if" does not assert."""

_SPEECH: Final = frozenset({"person_asked", "no_human", "anger", "how_to", "distress"})
"""What is done by saying it: a "what if" in the same sentence takes nothing back."""


@dataclass(frozen=True)
class Lexicon:
    """The word list of one language, compiled."""

    features: dict[str, re.Pattern[str]]
    negation: re.Pattern[str]
    hypothetical: re.Pattern[str]


@lru_cache(maxsize=2)
def lexicon_of(language: Language) -> Lexicon:
    data = json.loads((_LEXICON / f"{language}.json").read_text(encoding="utf-8"))
    return Lexicon(
        features={code: re.compile("|".join(patterns)) for code, patterns in data["patterns"].items()},
        negation=re.compile(data["negation"]),
        hypothetical=re.compile("|".join(data["hypothetical"])),
    )


def features_of(text: str, language: Language) -> frozenset[str]:
    """The features that some sentence of the text asserts."""
    lexicon = lexicon_of(language)
    found: set[str] = set()
    for raw in _SENTENCE.split(text):
        sentence = fold(raw)
        supposed = lexicon.hypothetical.search(sentence) is not None
        for code, pattern in lexicon.features.items():
            silent = supposed and code not in _SPEECH
            if code not in found and not silent and _asserted(sentence, code, pattern, lexicon):
                found.add(code)
    return frozenset(found)


def _asserted(sentence: str, code: str, pattern: re.Pattern[str], lexicon: Lexicon) -> bool:
    """Does the sentence say it at least once without taking it back?"""
    for match in pattern.finditer(sentence):
        if code not in DENIABLE or not _denied(sentence, match.start(), lexicon):
            return True
    return False


def _denied(sentence: str, start: int, lexicon: Lexicon) -> bool:
    """Does a negation of the same clause stand right before `start`?"""
    before = _CLAUSE.split(sentence[max(0, start - 60) : start])[-1]
    return lexicon.negation.search(before) is not None
