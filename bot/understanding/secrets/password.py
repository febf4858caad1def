"""Passwords in a text: only what the words around them call one can be told from any other word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from bot.understanding.hints import mentions
from bot.understanding.secrets.lists import words_of

_WORD: Final = r"(?<![A-Za-z])(?:password|pass[ -]?word|passwd|pass[ -]?phrase|pwd|passcode|psw|pw)(?![A-Za-z])"
_LABEL: Final = rf"(?:{_WORD}|(?<![A-Za-z])(?:pass|pin)(?![A-Za-z])(?: code)?|密[码碼]|口令|pin[码碼])"
_IS: Final = r"(?:(?:is|was|are)(?![A-Za-z])|=|:|->|→|就?是|为|為|用的是|改成了?|設成|设成|设为)[\s:=]{0,3}"
_FILLER: Final = r"(?:(?:actually|still|now|just|simply|currently|set to|here|also|always)\s)?"
_QUOTED: Final = r"[\"“”'‘’「『【`](?P<quoted>[^\s\"“”'‘’」』】`\ue000]{3,64})[\"“”'‘’」』】`]"
_BARE: Final = r"(?P<token>[!-~]{3,64})"
_GIVEN: Final = re.compile(
    rf"{_LABEL}(?:\s(?:for|of|to)\s[a-z ]{{0,30}}?)?\s{{0,2}}{_IS}{_FILLER}(?:{_QUOTED}|{_BARE})", re.IGNORECASE
)
_ADJACENT: Final = re.compile(
    rf"(?:{_WORD}|密[码碼]|口令)[ \t(「『\"“']{{0,2}}(?P<token>(?=[!-~]{{0,60}}[0-9])[A-Za-z0-9][!-~]{{3,63}})"
    r"(?![0-9]?\s?[年月日次位分秒天个個])",
    re.IGNORECASE,
)
"""Nothing in between ("密码abc123", "pw hunter2"): then only what cannot be a word."""
_AHEAD: Final = re.compile(
    r"(?<![!-~])(?P<token>[!-~]{5,64})\s?"
    r"(?:is (?:my|the) (?:old |new |login |account )?(?:password|passwd|pwd)(?![A-Za-z])"
    r"|[这這]?就?是我?的?(?:登录|登錄|交易|资金|資金|账户|帳戶|旧|新)?密[码碼])",
    re.IGNORECASE,
)
_PLAIN: Final = re.compile(r"[a-z]+(?:[-'/,.][a-z]+)*", re.IGNORECASE)
_TALK: Final = re.compile(r"[a-z]+(?:ed|ing|able|ible|ly|ful|less|ive|ous|ment|tion)|[a-z]+n[o']t", re.IGNORECASE)
""" "The password is changed", "rejected", "impossible": endings that tell something about it."""
_FIGURE: Final = re.compile(
    r"[0-9]{1,3}(?:-?(?:h|hrs?|hours?|days?|min|minutes?|times|chars?|digits?|d|s|x))?|[0-9]{1,3}%|2fa"
    r"|[0-9]{1,2}[:.~-][0-9]{1,2}",
    re.IGNORECASE,
)
_HINTS: Final = ("pass", "pw", "psw", "pin", "密", "口令")
"""One of them is in every name of a password."""
_END: Final = ".,;:!?)]}\"'>"
"""Punctuation that ends a sentence and hardly a password."""


def find_passwords(text: str) -> Iterator[tuple[int, int]]:
    """Where the passwords of `text` stand; they may overlap. Linear."""
    if not mentions(text, *_HINTS):
        return
    for match in _GIVEN.finditer(text):
        if match.group("quoted"):
            if not _is_talk(match.group("quoted")):
                yield match.span("quoted")
        elif _is_mixed(match.group("token")) or (_ends_clause(text, match) and not _is_talk(match.group("token"))):
            yield _trimmed(match)
    for pattern in (_ADJACENT, _AHEAD):
        for match in pattern.finditer(text):
            if _is_mixed(match.group("token")):
                yield _trimmed(match)


def _trimmed(match: re.Match[str]) -> tuple[int, int]:
    start = match.start("token")
    return start, start + max(1, len(match.group("token").rstrip(_END)))


def _ends_clause(text: str, match: re.Match[str]) -> bool:
    """A plain word is a password at most where nothing follows it: "the password is sunshine."."""
    behind = text[match.end() : match.end() + 1]
    return behind in ("", "\n", "\r") or not behind.isascii() or match.group("token")[-1] in _END


def _is_talk(token: str) -> bool:
    """Whether "the password is <token>" tells something about the password, and not which it is."""
    bare = token.rstrip(_END).lower()
    return len(bare) < 3 or _TALK.fullmatch(bare) is not None or _squeezed(bare) in _SAID


def _squeezed(word: str) -> str:
    """Without doubled letters, which are often mistyped: "corect"."""
    return re.sub(r"(.)\1+", r"\1", word)


_SAID: Final = frozenset(map(_squeezed, words_of("said_of_passwords")))


def _is_mixed(token: str) -> bool:
    """Digits, or signs between letters: no word looks like that."""
    bare = token.rstrip(_END)
    if len(bare) < 4 or _FIGURE.fullmatch(bare):
        return False
    return any(character.isdigit() for character in bare) or not _PLAIN.fullmatch(bare)
