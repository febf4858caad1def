"""The words that begin and end proving who one is, and those that go with an answer without asking anything."""

from __future__ import annotations

import re
from typing import Final

from bot.understanding.folding import fold, fold_in_place

START_CHARACTERS: Final = 240
"""A longer message is about more than proving who writes: the bot hears it whole."""

_POLITE_EN: Final = (
    r"(?:(?:yes|ok|okay|hi|hello|please|can i|could i|may i|how can i|how do i|i want to|i would like to|i'd like to"
    r"|i will|let me) )*+"
)
_PROVE_EN: Final = (
    r"(?:verify me|verify myself|verify my identity|verify who i am|prove who i am|prove my identity|prove it is me"
    r"|prove it's me|identify me|identify myself|confirm my identity)"
)
_POLITE_ZH: Final = (
    r"(?:请问|请|我要|我想|我来|我|帮我|可以|可不可以|能不能|能|怎么样|怎么|怎样|如何|麻烦|你好|您好|需要|想|要|,| )*+"
)
_PROVE_ZH: Final = (
    r"(?:(?:验证|核实|证明|确认)(?:一下|下)?(?:我的|我本人的|本人的|本人|自己的)?身份|身份验证"
    r"|证明我是谁|证明是我本人|证明我是本人|验证我)(?:吧|一下|可以吗|吗|呢|谢谢)*+"
)
_START: Final = re.compile(
    rf"\s*(?:{_POLITE_EN}{_PROVE_EN}(?:,? (?:please|now))?|{_POLITE_ZH}{_PROVE_ZH})(?P<rest>(?:[\s,.:;!?。].*)?)",
    re.DOTALL | re.IGNORECASE,
)
_NEVER_MIND: Final = re.compile(
    r"(?:(?:ah|ok|no|oh),? )?(?:never ?mind|nvm|forget it|forget about it|cancel(?: it| that)?|stop|leave it|skip it"
    r"|no need|not now|i changed my mind|don't bother)(?:,? (?:please|thanks|thank you))?"
    r"|(?:那|还是|先|我)?(?:算了|不用了|取消|不想验证了|不想验了|不验证了|不验了|不需要了|不要了|停|不弄了|放弃)"
    r"吧?[,。 ]?(?:谢谢)?"
)
_COURTESY_EN: Final = (
    r"thank you(?: (?:so much|very much|again|in advance))?|(?:many )?thanks(?: (?:a lot|so much|very much|again"
    r"|in advance))?|thx|ty|cheers|please|pls|plz|(?:with )?(?:best|kind|warm) regards|regards|best wishes|best"
    r"|yours (?:sincerely|faithfully|truly)|sincerely(?: yours)?"
    r"|(?:hi|hello|hey|dear)(?: (?:there|team|sir or madam|sir|madam|support))?|good (?:morning|afternoon|evening|day)"
    r"|sure|ok|okay|yes|no(?=,)|yep|yeah|sorry|oops|actually|i meant?|(?:it )?should be|correction"
    r"|here (?:it is|you go|you are)|(?:it|this|that|here)(?: is| was|'s)?|is|was|and|my|the|your|right|correct"
    r"|i (?:have )?(?:just )?(?:got|received)|you sent(?: me)?|from (?:the|your) (?:letter|e-?mail|mail)"
    r"|verification|confirmation|security|one[- ]time|(?:6|six)[- ]digit|registered|codes?|otp|uid|user ?id|user|id"
    r"|account|number|e-?mail(?: address)?"
)
_COURTESY_ZH: Final = (
    r"我的|您的|你的|这个|这是|那个|就是|是|为|您好|你好|好的|好|嗯|给您|给你|发给您|邮件里的|邮箱里的|邮件中的|邮箱中的"
    r"|验证码|校验码|动态码|确认码|号码|数字|收到了|收到的|收到|邮箱地址|邮箱|登记的|登记|注册的|注册|用户编号|用户|账户|账号|帐户|帐号"
    r"|编号|号|非常感谢|感谢您|感谢|谢谢您|谢谢你|谢谢|多谢|谢了|麻烦您了|麻烦了|麻烦|请查收|请核对|请验证|请看|请|辛苦了|此致|敬礼|祝好"
    r"|抱歉|对不起|不好意思|写错了|填错了|应该是|应该|应为|更正|正确的|正确|才对|如下|这里|的|了|吧|啊|哦|哈|呀"
)
_COURTESY: Final = re.compile(rf"(?<![a-z0-9_'])(?:{_COURTESY_EN})(?![a-z0-9_'])|{_COURTESY_ZH}")


def start_of(text: str) -> re.Match[str] | None:
    """Somebody wants to prove who they are; the group "rest" is what follows, at its place in the text."""
    if len(text) > START_CHARACTERS:
        return None
    return _START.fullmatch(fold_in_place(text))


def is_never_mind(text: str) -> bool:
    return _NEVER_MIND.fullmatch(plain(text)) is not None


def plain(text: str) -> str:
    return fold(text).strip(" ,.!?;:。，！？；：~…")


def without_courtesy(text: str) -> str:
    """What is left when greetings, thanks and the names of what is handed over are taken away; "" when no word is."""
    left = _COURTESY.sub(" ", fold(text))
    return " ".join(left.split()) if re.search(r"\w", left.replace("_", " ")) else ""
