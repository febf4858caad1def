"""Numbers that the exchange and we give out: case numbers, UIDs, orders, memos."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from bot.understanding.entities.entity import AFTER, BEFORE, Entity, compiled

_IS: Final = r"(?: is|是|为)?[ :#=]{0,3}"
_NO_DATE: Final = r"(?!(?:19|20)[0-9]{2}[-_][01]?[0-9][-_][0-3]?[0-9](?![0-9A-Z]))"
# Any letter may stand in it: a number that was misheard is answered too. A dash after RD is proof enough; with
# spaces alone "rd hello world" must not pass, so a digit is asked for.
_CASE: Final = compiled(
    rf"{BEFORE}RD(?:[ ]?[-–—_][ ]?|(?=[ ]?[A-Z ]{{0,11}}[0-9])[ ]?)"
    rf"(?P<one>[A-Z0-9]{{5}})[ ]?[-–—_]?[ ]?(?P<two>[A-Z0-9]{{5}}){AFTER}"
)
_UID: Final = compiled(
    rf"{BEFORE}(?:uid|(?:user|account|member|customer) ?id|(?:用户|账号|账户|帐号|帐户|会员) ?id|(?:用户|会员)编号)"
    rf"[ ]?(?:number|号码|号)?{_IS}(?P<value>[0-9]{{5,12}}){AFTER}"
)
_ORDER: Final = compiled(
    rf"(?:{BEFORE}(?:order|trade id|withdrawal id|deposit id|reference|ref(?= ?(?:no|id|num|[.:#])))"
    r"|订单|单号|流水号|交易号|提现编号|充值编号|参考号)"
    r"[ ]?(?:id|number|no\.?|num\.?|编号|号码|号)?"
    rf"{_IS}{_NO_DATE}(?P<value>(?=[A-Z_-]{{0,12}}[0-9])[A-Z0-9][A-Z0-9_-]{{5,39}}){AFTER}"
)
_MEMO: Final = compiled(
    rf"{BEFORE}(?:(?:memo|(?:destination|deposit|dest)[ _]?tag|payment ?id|标签|备注码)"
    rf"[ ]?(?:id|number|no\.?|码|号)?{_IS}"
    r"|tag(?: is|是)?[ ]?[:#=][ ]?|tag[ ]?(?=[0-9]{5}))"
    rf"(?P<value>(?=[A-Z]{{0,16}}[0-9])[A-Z0-9]{{3,64}}){AFTER}"
)


def find(text: str) -> Iterator[Entity]:
    for match in _CASE.finditer(text):
        value = f"RD-{match.group('one')}-{match.group('two')}".upper()
        yield Entity("case_number", value, match.start(), match.end())
    yield from _labelled("uid", _UID, text)
    yield from _labelled("order_id", _ORDER, text)
    yield from _labelled("memo", _MEMO, text)


def _labelled(kind: str, pattern: re.Pattern[str], text: str) -> Iterator[Entity]:
    for match in pattern.finditer(text):
        yield Entity(kind, match.group("value"), *match.span("value"))
