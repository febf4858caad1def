"""One-time codes in a text: four to eight digits, written in figures or in words, that are called a code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from bot.understanding.hints import mentions

_CHINESE_DIGIT: Final = "[零〇一二三四五六七八九幺两兩]"
_ENGLISH_DIGIT: Final = "(?:zero|oh|one|two|three|four|five|six|seven|eight|nine)"
_VALUE: Final = (
    r"(?P<value>[0-9](?:[ \t.·-]{0,2}[0-9]){3,7}"
    rf"|{_CHINESE_DIGIT}(?:[ 、,-]{{0,2}}{_CHINESE_DIGIT}){{3,7}}"
    rf"|{_ENGLISH_DIGIT}(?:[ ,-]{{1,2}}{_ENGLISH_DIGIT}){{3,7}})"
)
_SIX: Final = r"(?P<value>[0-9](?:[ \t.·-]?[0-9]){5})"
_NO_QUANTITY: Final = (
    r"(?![0-9A-Za-z_%]|[.,:/-][0-9]"
    r"|\s?(?:times?|min|sec|hours?|hrs?|days?|weeks?|months?|years?|usd|btc|eth|u(?![a-z])"
    r"|次|分|秒|小时|小時|天|日|年|月|个|個|条|條|元|块|位|遍|人|万|千))"
)
_OPEN: Final = r"[\s:=,\"'“”‘’「『【《(\[>*-]"
_LINK: Final = (
    rf"{_OPEN}{{0,3}}(?:(?:i |we )?(?:just )?(?:got|received|get)|(?:that )?(?:is|was|are)|now|here"
    rf"|收到的?|就?是|为|為|如下|发你|給你|给你)?{_OPEN}{{0,5}}(?:is|是)?[\s:]{{0,2}}"
)
"""What may stand between "code" and its digits."""
_STRONG: Final = (
    r"(?:(?<![A-Za-z0-9])(?:verification|verify|confirm(?:ation)?|security|auth(?:entication|enticator)?|login|sms|text|e-?mail|google"
    r"|2fa|one[ -]?time|access|withdrawal|unlock|backup|recovery|otp|mfa|totp|ga)"
    r"[ -]?(?:code|pass(?:code|word)|pin|number|token)s?"
    r"|(?<![A-Za-z0-9])(?:otp|2fa|mfa|totp|passcode|tan|pin)(?![a-z])(?: ?code)?"
    r"|(?:验证|驗證|校验|校驗|动态|動態|谷歌|短信|安全|认证|認證|確認|确认|登录|登錄|备份|備份)[码碼]"
    r"|动态口令|口令|(?:动态|動態|一次性)密[码碼]|(?:谷歌|google|短信|邮箱|手机)(?:验证|驗證))"
)
_NAMED: Final = re.compile(_STRONG + _LINK + _VALUE + _NO_QUANTITY, re.IGNORECASE)
_BARE: Final = re.compile(r"(?<![A-Za-z])(?:codes?|passcode)" + _LINK + _SIX + _NO_QUANTITY, re.IGNORECASE)
"""Just "code": then only six digits, and no error, promotion or country is meant."""
_OTHER_CODE: Final = re.compile(
    r"(?:error|err|status|http|response|return|result|reason|promo(?:tion)?|referral|invit(?:e|ation)|bonus|coupon"
    r"|gift|voucher|discount|country|area|postal|post|zip|dial|bank|sort|swift|qr|bar|source|product|activity|event"
    r"|campaign|affiliate|trading|stock|错误|報錯|报错|邀请|推荐|优惠|区域|邮政|返回|状态)[ _-]?$",
    re.IGNORECASE,
)
_REACH: Final = 16
_AHEAD: Final = re.compile(
    r"(?<![0-9A-Za-z_.,$#-])(?P<value>[0-9](?:[ \t-]?[0-9]){3,7})\s?"
    r"(?:(?:is|was) (?:my|the|your)(?: [a-z0-9]{1,12}){0,2}?"
    r"|,?(?:就?是|为|我的|你们发的|刚?收到的|这是|這是|这个?){1,2}(?:我的|你们的|您的|手机|短信|邮箱|谷歌|google|登录|的)?)\s?"
    r"(?:otp|2fa|passcode|code|(?:验证|驗證|校验|动态|動態|谷歌)[码碼]|口令)(?! (?:error|number))",
    re.IGNORECASE,
)
""" "482913 is my code"."""
_HINTS: Final = (
    *("code", "pass", "pin", "number", "token", "otp", "2fa", "mfa", "tan"),
    *("码", "碼", "口令", "验证", "驗證"),
)
"""One of them is in every name of a code."""


def find_codes(text: str) -> Iterator[tuple[int, int]]:
    """Where one-time codes stand in `text`; they may overlap. Linear."""
    if not mentions(text, *_HINTS):
        return
    for pattern in (_NAMED, _AHEAD):
        for match in pattern.finditer(text):
            yield match.span("value")
    for match in _BARE.finditer(text):
        if not _OTHER_CODE.search(text, max(0, match.start() - _REACH), match.start()):
            yield match.span("value")
