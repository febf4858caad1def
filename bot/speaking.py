"""In which language do we answer? In that of the message, unless another one is asked for or it hardly says."""

from __future__ import annotations

import re
from typing import Final

from bot.understanding.folding import fold
from bot.understanding.language import Language

WISH_CHARACTERS: Final = 200
"""A longer message tells a matter; a language that it mentions is part of the story."""

_POLITE: Final = (
    r"(?:please|pls|plz|sorry|hi|hello|hey|ok|okay|thanks|thank you|if possible"
    r"|请问|请|麻烦你?|你好|您好|谢谢|好吗|吗|吧|呢|么|一下)"
)
_ENGLISH: Final = (
    r"(?:(?:can|could|would|will|do) (?:you|we|i) (?:please )?(?:speak|write|talk|answer|reply|chat|switch)"
    r"(?: to me)?(?: in| to)? english|(?:speak|write|talk|answer|reply|switch|continue|only|use)(?: to me)?"
    r"(?: in| to)? english(?: only)?|in english|english(?: only| version)?(?=,? (?:please|pls|plz))"
    r"|(?:i (?:only )?(?:speak|understand|read)|i prefer) english(?: only)?"
    r"|i (?:do not|don't|can't|cannot) (?:speak|understand|read) chinese|no chinese"
    r"|(?:能|可以|可不可以|能不能)?(?:请)?(?:用|说|讲|换成|切换成?|切换到|改成|改用)(?:一下)?(?:英文|英语)"
    r"(?:回复|回答|说|交流|沟通|写)?|^(?:英文|英语)(?=$|吧|[, ]?(?:谢谢|please))|^english(?=$|[, ]?(?:谢谢|please)))"
)
_CHINESE: Final = (
    r"(?:(?:can|could|would|will|do) (?:you|we|i) (?:please )?(?:speak|write|talk|answer|reply|chat|switch)"
    r"(?: to me)?(?: in| to)? (?:chinese|mandarin)|(?:speak|write|talk|answer|reply|switch|continue|use)(?: to me)?"
    r"(?: in| to)? (?:chinese|mandarin)|in chinese|chinese(?: only| version)?(?=,? (?:please|pls|plz))"
    r"|(?:i (?:only )?(?:speak|understand|read)|i prefer) (?:chinese|mandarin)(?: only)?"
    r"|i (?:do not|don't|can't|cannot) (?:speak|understand|read) english|no english"
    r"|(?:能|可以|可不可以|能不能|会)?(?:请)?(?:用|说|讲|换成|切换成?|切换到|改成|改用)(?:一下)?(?:中文|汉语|普通话|国语|华语)"
    r"(?:回复|回答|说|交流|沟通|写)?|看不懂英文|不懂英文|听不懂英文|^(?:中文|汉语)(?=$|吧|[, ]?(?:谢谢|please))"
    r"|^chinese(?=$|[, ]?(?:谢谢|please)))"
)
_WISHES: Final[tuple[tuple[Language, re.Pattern[str]], ...]] = (
    ("en", re.compile(_ENGLISH)),
    ("zh", re.compile(_CHINESE)),
)
_DENIED: Final = re.compile(r"(?:not|n't|no|别|不要|不用|不想|不)\s?$")
_POLITE_WORDS: Final = re.compile(rf"(?<![a-z]){_POLITE}(?![a-z])")
_WORD: Final = re.compile(r"[a-z]{2,}")
_COMMON: Final = re.compile(
    r"(?<![a-z])(?:the|and|or|but|to|of|in|on|for|with|from|at|by|is|are|was|were|be|been|it|this|that|there|my|me|we|you"
    r"|your|they|not|no|yes|please|help|can|could|how|what|when|where|why|who|do|does|did|don|have|has|had|still|yet"
    r"|since|over|after|all|sent|went|got|need|want|know|hello|hi|thanks?|ok|okay|sorry|as|if|so)(?![a-z])"
)
"""Words of which an English sentence has one, and the name of a thing hardly ever."""
_CHINESE_CHARACTER: Final = re.compile("[\u3400-\u9fff]")
_TAKEN_OUT: Final = re.compile(r"\[[^\[\]]{1,60}\]")


def wished_language(text: str) -> Language | None:
    """The language that the message asks us to speak: "English please", "请用英文", "can you speak Chinese"."""
    found = _wish(text)
    return None if found is None else found[0]


def is_only_a_wish(text: str) -> bool:
    """Whether the message says nothing else."""
    found = _wish(text)
    if found is None:
        return False
    return not re.search(r"\w", _POLITE_WORDS.sub(" ", found[1]))


def language_to_speak(text: str, read: Language | None, spoken: str | None) -> str:
    """`read` is the language that the message is built in, `spoken` the one of the conversation so far.

    One Latin word ("ok", "USDT") is no change of language in a Chinese conversation, whoever writes it; nor is a name
    of several ("iPhone 15 Pro Max", "GET /v3/klines").
    """
    if wish := wished_language(text):
        return wish
    if read is None or spoken is None:
        return read or spoken or "en"
    return read if _is_clear(text, read) else spoken


def _wish(text: str) -> tuple[Language, str] | None:
    """The language asked for and what else is said."""
    if len(text) > WISH_CHARACTERS:
        return None
    folded = fold(text).replace("?", " ").replace("!", " ").strip(" .,。，")
    for language, pattern in _WISHES:
        match = pattern.search(folded)
        if match is not None and not _DENIED.search(folded[: match.start()]):
            return language, folded[: match.start()] + " " + folded[match.end() :]
    return None


def _is_clear(text: str, language: str) -> bool:
    """What stands for a secret that was taken out is our own word, not the user's."""
    own = _TAKEN_OUT.sub(" ", fold(text))
    if language == "zh":
        return bool(_CHINESE_CHARACTER.search(own))
    return len(_WORD.findall(own)) > 1 and _COMMON.search(own) is not None
