"""What stands beside an answer of ours (a code, an account)? In doubt it is a question: one too many is answered
sooner than a theft report is swallowed. Pure, in both languages."""

from __future__ import annotations

import re
from typing import Final

from bot.identity.phrases import without_courtesy

_QUOTED: Final = re.compile(r"^[ \t]*[>＞]")
_ATTRIBUTION: Final = re.compile(r"^.{0,300}(?:wrote|writes|写道|寫道)\s*[:：]\s*$", re.IGNORECASE)
_CONTACT: Final = re.compile(
    r"(?:tel|phone|mobile|e-?mail|web|电话|手机|邮箱)?[\s.:：]*(?:\+?[0-9][0-9 ()./-]{6,24}|\S{1,80}@\S{1,80}\.\S{1,20}"
    r"|(?:https?://|www\.)\S{1,120})",
    re.IGNORECASE,
)
_DEVICE: Final = re.compile(
    r"(?:sent (?:from|via|with) .{1,60}|get outlook for .{1,40}|(?:发自|来自)我的.{1,30}"
    r"|发自.{1,20}(?:邮箱|手机))",
    re.IGNORECASE,
)
_NAME_EN: Final = re.compile(r"[A-Z][A-Za-z'’.-]{0,20}(?: [A-Z][A-Za-z'’.-]{0,20}){0,2}")
_SURNAMES: Final = (
    "王李张劉刘陈陳杨楊黄黃赵趙吴吳周徐孙孫朱胡郭林罗羅梁宋郑鄭谢謝韩韓唐冯馮董萧蕭曹袁邓鄧许許傅沈曾彭吕呂苏蘇卢盧"
    "蒋蔣蔡贾賈丁魏薛叶葉阎閻潘杜戴夏钟鍾汪田姜范範姚廖邹鄒熊陆陸郝孔崔邱秦顾顧侯邵孟龙龍段漕汤湯尹黎武乔喬贺賀赖賴龚龔"
)
"""Common ones, without those that also begin an everyday word (钱没了, 金额, 马上, 全没了)."""
_NAME_ZH: Final = re.compile(rf"[{_SURNAMES}][^\W\d_a-zA-Z了吗呢没被不能的丢少错盗骗冻]{{1,2}}")
_NO_NAME: Final = re.compile(
    r"\b(?:no|not|my|me|i|it|is|now|asap|sue|why|what|where|when|how|who|which)\b"
    r"|\b(?:hack|steal|stol|robbe|scam|fraud|thef|thie|freez|froz|lock|block|stop|help|urgen|emerg|los[est]|gone|missing"
    r"|stuck|fail|wrong|error|problem|issue|money|fund|asset|account|wallet|withdr|deposit|transfer|refund|trad|order|coin"
    r"|btc|usdt|eth\b|crypto|compromis|phish|unauthori|suspicio|attack|breach|danger|report|complain|cancel|clos|delet"
    r"|disput|legal|police|lawyer|please|still|wait|call|contact|identi|password|phone|someone|somebody|everything"
    r"|nothing|balance|payment|paid|pay\b|login|access|email|taken|empty|drain|hijack|unfr|[a-z]+(?:ed|ing)\b)",
    re.IGNORECASE,
)


def left_over(text: str) -> str:
    """What is said beyond courtesy, signature and quotation; "" when nothing is."""
    lines = _without_quotation(text.splitlines())
    return without_courtesy("\n".join(_without_signature(lines)))


def is_question(rest: str) -> bool:
    """Whether what is left over asks or tells something: two characters of Chinese can ("提现"), of Latin cannot."""
    return len(rest) >= 4 or sum(character > "\u2e7f" for character in rest) >= 2


def _without_quotation(lines: list[str]) -> list[str]:
    own: list[str] = []
    for line in lines:
        if not _QUOTED.match(line):
            own.append(line)
        elif own and _ATTRIBUTION.match(own[-1]):
            own.pop()
    return own


def _without_signature(lines: list[str]) -> list[str]:
    """The first line is never one: there the answer itself stands."""
    end = len(lines)
    while end > 1 and _is_of_signature(lines[end - 1].strip(" \t\r,.，。-—_")):
        end -= 1
    return lines[:end]


def _is_of_signature(line: str) -> bool:
    if not line or not without_courtesy(line):
        return True
    if any(pattern.fullmatch(line) for pattern in (_CONTACT, _DEVICE, _NAME_ZH)):
        return True
    return _NAME_EN.fullmatch(line) is not None and not _NO_NAME.search(line)
