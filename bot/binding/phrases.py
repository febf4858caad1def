"""What does somebody want who speaks of their tracking link, or of going on elsewhere? Pure, in both languages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from bot.understanding.folding import fold

WISH_CHARACTERS: Final = 100
"""A longer message tells a matter: the bot hears it whole."""
_LINK: Final = re.compile(
    r"\b(?:my|the|a(?: new)?|another) (?:(?:case|complaint) )?(?:tracking|status|case) (?:link|url|page)\b"
    r"|\b(?:where(?: is|'s)|resend|send(?: me)?|give(?: me)?|i (?:have )?lost|i(?: can ?not| can't) find|forgot)"
    r" (?:my|the) (?:link|url)\b"
    r"|(?:查询|进度|跟踪|追踪|案件|投诉)(?:的)?(?:链接|连结|网址|鏈接)"
    r"|(?:我的|我那个|那个)(?:链接|连结|鏈接)(?:呢|在哪|找不到|丢了|不见了|没了)"
    r"|(?:链接|连结|鏈接)(?:找不到|丢了|不见了|弄丢了|在哪)"
)
_NOT_OURS: Final = re.compile(r"phish|scam|fake|suspicious|click|诈骗|钓鱼|假的|可疑|点了|点击")
_GO_ON: Final = (
    r"(?:continue|go on|carry on|switch|move|talk|chat|write)(?: (?:this|it|here|with you|to you|over))*"
    r" (?:on|in|by|via|to|over(?: to)?|through)(?: the| your)? (?:{names})"
    r"|(?:转到|转去|切换到|换到|改到|改用|换成|到|去|用|在)(?:{names})(?:上|里|中)?(?:继续|联系|聊|沟通|谈)?"
)


def wants_link(text: str) -> bool:
    said = fold(text)
    return len(said) <= WISH_CHARACTERS and _LINK.search(said) is not None and not _NOT_OURS.search(said)


def wants_channel(text: str, titles: Mapping[str, Sequence[str]]) -> str | None:
    """The channel that somebody wants to go on in. `titles`: channel -> what it is called, in every language."""
    said = fold(text)
    if len(said) > WISH_CHARACTERS:
        return None
    wished = (channel for channel, names in titles.items() if _asks_for(said, names))
    return next(wished, None)


def _asks_for(said: str, names: Sequence[str]) -> bool:
    alternatives = "|".join(re.escape(fold(name)) for name in names)
    whole = rf"(?:{_POLITE})*(?:{_GO_ON.format(names=alternatives)})(?:{_POLITE_END})*"
    return re.fullmatch(whole, said.strip(" ,.!?;:。，！？；：~…")) is not None


_POLITE: Final = (
    r"(?:please|can|could|may|i|we|you|want|would like|i'd like|to|let us|let's|yes|ok|hi|hello"
    r"|请问|请|我想|我要|我们|能不能|可以|可不可以|能|想|要|麻烦)[ ,]*"
)
_POLITE_END: Final = r"[ ,]*(?:please|instead|now|there|thanks|thank you|吗|吧|呢|可以吗|好吗|谢谢)"
