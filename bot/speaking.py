"""In which language and script do we answer? In those of the message, unless others are asked for or it hardly says."""

from __future__ import annotations

import re
from typing import Final

from bot.script import HANS, script_of
from bot.understanding.folding import fold
from bot.understanding.language import Language
from bot.wording import base
from bot.wording.traditional import HANT

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
_ZH_EN: Final = "(?:traditional |simplified )?(?:chinese|mandarin)"
_ZH: Final = "(?:(?:繁体|简体)(?:中文|字)?|中文|汉语)"
_CHINESE: Final = (
    r"(?:(?:can|could|would|will|do) (?:you|we|i) (?:please )?(?:speak|write|talk|answer|reply|chat|switch)"
    rf"(?: to me)?(?: in| to)? {_ZH_EN}|(?:speak|write|talk|answer|reply|switch|continue|use)(?: to me)?"
    rf"(?: in| to)? {_ZH_EN}|in {_ZH_EN}|{_ZH_EN}(?: only| version)?(?=,? (?:please|pls|plz))"
    rf"|(?:i (?:only )?(?:speak|understand|read)|i prefer) {_ZH_EN}(?: only)?"
    r"|i (?:do not|don't|can't|cannot) (?:speak|understand|read) english|no english"
    rf"|(?:能|可以|可不可以|能不能|会)?(?:请)?(?:用|说|讲|换成|切换成?|切换到|改成|改用)(?:一下)?(?:{_ZH}|普通话|国语|华语)"
    rf"(?:回复|回答|说|交流|沟通|写)?|看不懂英文|不懂英文|听不懂英文|^{_ZH}(?=$|吧|[, ]?(?:谢谢|please))"
    rf"|^{_ZH_EN}(?=$|[, ]?(?:谢谢|please)))"
)
_WISHES: Final[tuple[tuple[Language, re.Pattern[str]], ...]] = (
    ("en", re.compile(_ENGLISH)),
    ("zh", re.compile(_CHINESE)),
)
_LANGUAGES: Final = (
    *("english", "chinese", "mandarin"),
    *("英文", "英语", "中文", "汉语", "普通话", "国语", "华语", "繁体", "简体"),
)
"""A wish names one of them; hardly any message does."""
_SCRIPTS: Final = ((HANT, re.compile(r"繁体|traditional")), (HANS, re.compile(r"简体|simplified")))
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


def language_to_speak(text: str, read: Language | None, spoken: str | None, *, pressed: bool = False) -> str:
    """ "en", "zh" or "zh-Hant". `read` is the language that the message is built in, `spoken` the one so far.

    `pressed`: the text is the title of a button, so its script is ours and says nothing.

    One Latin word ("ok", "USDT") is no change of language in a Chinese conversation, whoever writes it; nor is a name
    of several ("iPhone 15 Pro Max", "GET /v3/klines").
    """
    if _language(text, read, spoken) == "en":
        return "en"
    own = None if pressed else _wished_script(text) or script_of(_TAKEN_OUT.sub(" ", text))
    return own or (HANT if spoken == HANT else HANS)


def _language(text: str, read: Language | None, spoken: str | None) -> str:
    if wish := wished_language(text):
        return wish
    if read is None or spoken is None or read == base(spoken):
        return read or base(spoken)
    return read if _is_clear(text, read) else base(spoken)


def _wished_script(text: str) -> str | None:
    """The script that a wish for Chinese names: "請用繁體", "simplified Chinese please"."""
    if wished_language(text) != "zh":
        return None
    return next((script for script, named in _SCRIPTS if named.search(fold(text))), None)


def _wish(text: str) -> tuple[Language, str] | None:
    """The language asked for and what else is said."""
    if len(text) > WISH_CHARACTERS:
        return None
    folded = fold(text)
    if not any(language in folded for language in _LANGUAGES):
        return None
    folded = folded.replace("?", " ").replace("!", " ").strip(" .,。，")
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
