"""Does an account pose as us? By what it is called, read as people read it: look-alike letters are the same letter."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, cached_property
from typing import Any

from channels.monitor.parts import entries
from channels.public_contract import Posing

US = "us"
"""The name in a post's envelope under which what our own account was called then is kept."""
MOST_ANSWERED = 50
"""People that one post answers or names; networks take no more."""
SHORT = 4
"""A name of so few Latin letters may be a part of any word: it counts only where it stands as a word."""
OUR_NAME, WITH_SUPPORT = "our_name", "our_name_support"
_SUPPORT = (
    *(
        "support",
        "supports",
        "help",
        "helper",
        "helpdesk",
        "helpline",
        "helpcenter",
        "helpcentre",
        "service",
        "services",
    ),
    *("care", "official", "assist", "assistance", "assistant", "customer", "customers", "agent", "agents", "admin"),
    *("team", "security", "verify", "verified", "verification", "hotline", "resolution", "complaint", "complaints"),
)
"""Latin words; each counts only as a word of its own, or glued to others of them or to our name."""
_SUPPORT_WITHOUT_SPACES = (
    *("客服", "官方", "支持", "支援", "服务", "服務", "帮助", "幫助", "助手", "助理", "团队", "團隊", "专员", "專員"),
    *("热线", "熱線", "售后", "售後", "中心", "安全"),
)
_RETURNS = ("recover", "recovery", "refund", "refunds")
"""Victims want this, and those who prey on them offer it: it counts as support behind our name only."""
_ALL_SUPPORT = (*_SUPPORT, *_SUPPORT_WITHOUT_SPACES, *_RETURNS)
_CRITICS = (
    *("scam", "victim", "fraud", "sucks", "hate", "stole", "robbed", "cheat", "thief", "boycott", "against", "scared"),
    *("careful", "beware", "warning", "avoid"),
    *("受害", "维权", "維權", "骗", "騙", "垃圾", "曝光", "跑路", "小心", "求助", "求帮", "求幫", "还我", "還我"),
)
"""Who is called "victims of …" complains about us, and pretends nothing."""
_CRITICS_AS_WORDS = ("anti", "my money", "my funds", "my coins", "my account")
_CAPITALS = str.maketrans(
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ" + "АВЕКМНОРСТУХЅІЈԌ",
    "ABEZHIKMNOPTYX" + "ABEKMHOPCTYXSIJG",
)
"""Greek and Cyrillic; some look like one Latin letter when they are large and like another one when they are small."""
_LETTERS = str.maketrans(
    "αβγεζηικμνορστυχω" + "авгеёкмнопрстухѕіїјԁԛԝһӏь" + "ıɩɑɡ" + "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ",
    "abyeznikuvopotuxw" + "abreekmhonpctyxsiijdqwhlb" + "iiag" + "abcdefghijklmnoprstuvwyz",
)
"""Greek, Cyrillic, Latin with another shape, small capitals."""
_FIGURES = str.maketrans("01!|i5$3478", "ollllsseatb")
"""Figures that are read as letters; i and l are one."""
_PAIRS = (("rn", "m"), ("vv", "w"))
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BETWEEN = re.compile(r"[\W_]+")
_NUMBERED = re.compile(r"(?<=[^\W\d_])(?=\d+(?:[\W_]|$))")
_OURS = "*"
"""Stands for a name of ours in what somebody is called."""


@cache
def skeleton(text: str) -> str:
    """What is left of a name when letters that look alike are one letter, and everything but letters is gone."""
    plain = unicodedata.normalize("NFKC", text[:300]).translate(_CAPITALS).casefold().translate(_LETTERS)
    bare = (each for each in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(each))
    folded = "".join(each for each in "".join(bare).translate(_FIGURES) if each.isalnum())
    for pair, letter in _PAIRS:
        folded = folded.replace(pair, letter)
    return folded


def why(called: Iterable[str], ours: Iterable[str]) -> str | None:
    """Why an account with these names and handles seems to pose as us; None when it does not. `ours` are our names.

    A name of ours that is nothing but a word such as "support" is not counted: everybody is called so.
    """
    called = tuple(called)
    names = {name for each in ours if len(name := skeleton(each)) > 1 and name not in _folded(_ALL_SUPPORT)}
    if not any(_wears(each, name) for each in called for name in names):
        return None
    marked = [_marked(each, names) for each in called]
    critical = any(_critical().search(each) for each in marked)
    supports = _beside() if critical else _anywhere()
    if any(supports.search(each) for each in marked):
        return WITH_SUPPORT
    return None if critical else OUR_NAME


class Impostors:
    def __init__(self, exchange: Mapping[str, str], names: Iterable[str], conversations: str) -> None:
        """`exchange`: our name by language; `names`: what else we are called. `conversations`: the first half of the
        keys of this channel's conversations."""
        self._exchange = exchange
        self._others = tuple(names)
        self._conversations = conversations

    @cached_property
    def _names(self) -> Sequence[str]:
        """Put together for the first post: the name in 繁體 takes tables that a channel at rest does without."""
        return tuple(filter(None, (*self._exchange.values(), *self._others)))

    def posing(
        self,
        envelope: Mapping[str, Any],
        *,
        name: str,
        handle: str,
        link: str,
        answers: Iterable[object],
        before_us: bool,
    ) -> Posing | None:
        """`answers`: the ids of those whom the post answers or names, without us and its author."""
        people = tuple(dict.fromkeys(each for each in answers if isinstance(each, str) and each))[:MOST_ANSWERED]
        ours = (*self._names, *(each for each in entries(envelope, US) if isinstance(each, str)))
        reason = why((name, handle), ours) if people or before_us else None
        if reason is None:
            return None
        who = f"{name[:120]} (@{handle[:253]})" if name else f"@{handle[:253]}"
        keys = tuple(f"{self._conversations}:{person}" for person in people)
        return Posing(reason=reason, who=who, link=link, answers=keys, before_us=before_us)


def _wears(called: str, name: str) -> bool:
    """Whether `name` is in what somebody is called."""
    whole = skeleton(called)
    if len(name) > SHORT or not name.isascii():
        return name in whole
    words = _BETWEEN.split(_CAMEL.sub(" ", called))
    glued = {f"{a}{b}" for word in _folded(_ALL_SUPPORT) for a, b in ((name, word), (word, name))}
    return whole == name or whole in glued or any(skeleton(word) == name for word in words)


def _marked(called: str, names: Iterable[str]) -> str:
    """The skeletons of its words with spaces between them, and a mark where a name of ours stands."""
    words = _BETWEEN.split(_NUMBERED.sub(" ", _CAMEL.sub(" ", unicodedata.normalize("NFKC", called[:300]))))
    text = " ".join(filter(None, map(skeleton, words)))
    for name in sorted(names, key=len, reverse=True):
        text = re.sub(_ours(name), f" {_OURS} ", text)
    return " ".join(text.split())


def _ours(name: str) -> str:
    """A pattern. A short name is not looked for within a word, unless that word is it and a word of support."""
    letters = _spaced(name)
    if len(name) > SHORT or not name.isascii():
        return letters
    support = _one_of(_ALL_SUPPORT)
    return rf"(?<![a-z0-9]){letters}(?=(?:{support})?(?![a-z0-9]))|{letters}(?![a-z0-9])"


@cache
def _critical() -> re.Pattern[str]:
    words = "|".join(" ".join(map(skeleton, each.split())) for each in _CRITICS_AS_WORDS)
    return re.compile(rf"{'|'.join(_folded(_CRITICS))}|(?<![a-z0-9])(?:{words})(?![a-z0-9])")


@cache
def _beside() -> re.Pattern[str]:
    """A word of support directly behind our name, or before it: "help" before it is a cry, and "help me" always is."""
    ours, latin, whole = re.escape(_OURS), _stands(_SUPPORT), _one_of(_SUPPORT_WITHOUT_SPACES)
    before = f"{_stands([each for each in _SUPPORT if each != 'help'])}|{_one_of(('客服', '官方'))}"
    return re.compile(f"{ours} (?:{latin}|{whole})|(?:{before}) {ours}")


@cache
def _anywhere() -> re.Pattern[str]:
    words = f"{_stands(_SUPPORT)}|{_one_of(_SUPPORT_WITHOUT_SPACES)}"
    return re.compile(f"{words}|^{re.escape(_OURS)} .*{_stands(_RETURNS)}")


def _stands(words: Sequence[str]) -> str:
    """A pattern: one of the Latin words, or several of them glued together, with nothing else glued to them."""
    cry = rf"{_spaced('help')} (?:me|us|please|pls)(?![a-z0-9])"
    return rf"(?<![a-z0-9])(?!{cry})(?:(?:{_one_of(words)}) ?)*(?:{_one_of(words)})(?![a-z0-9])"


def _one_of(words: Iterable[str]) -> str:
    return "|".join(_spaced(skeleton(each)) for each in words)


def _spaced(name: str) -> str:
    """A pattern: the letters of a name, also where something stands between them."""
    return " ?".join(map(re.escape, name))


@cache
def _folded(words: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(skeleton, words))
