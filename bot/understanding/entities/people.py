"""Where a person can be reached: e-mail addresses and telephone numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from bot.understanding.entities.entity import AFTER, BEFORE, Entity, compiled
from bot.understanding.hints import has_digit

_EMAIL: Final = compiled(rf"{BEFORE}[A-Z0-9._%+-]{{1,64}}@[A-Z0-9-]{{1,63}}(?:\.[A-Z0-9-]{{1,63}}){{1,4}}")
_PHONE: Final = compiled(
    r"(?<![A-Z0-9_.+-])(?:\+[0-9]{1,3}[ -]?(?:\([0-9]{1,4}\)[ -]?)?(?:[0-9]{2,5}[ -]?){2,4}[0-9]{2,4}"
    r"|(?:0086|86)?[ -]?1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4}"  # mainland China
    r"|09[0-9]{2}-[0-9]{3}-[0-9]{3}"  # Taiwan
    rf"|\(?[2-9][0-9]{{2}}(?:\) ?|-)[0-9]{{3}}-[0-9]{{4}}){AFTER}"  # North America
)
_CALLED: Final = compiled(
    rf"(?:{BEFORE}(?:tel|mobile|cell|whatsapp|(?:tele)?phone|call me (?:on|at))|电话|手机|手提|联系方式)"
    r"(?: ?number| ?no\.?|号码|号)?(?: is|是|为)?[ :.]{0,3}"
    rf"(?P<value>[+(]?[0-9](?:[ ()-]{{0,2}}[0-9]){{6,14}}){AFTER}"
)


def emails(text: str) -> Iterator[Entity]:
    if "@" not in text:
        return
    for match in _EMAIL.finditer(text):
        yield Entity("email", match.group(), match.start(), match.end())


def phones(text: str) -> Iterator[Entity]:
    if not has_digit(text):
        return
    for match in _PHONE.finditer(text):
        yield Entity("phone", _bare(match.group()), match.start(), match.end())
    for match in _CALLED.finditer(text):
        yield Entity("phone", _bare(match.group("value")), *match.span("value"))


def _bare(number: str) -> str:
    return re.sub(r"[^0-9+]", "", number)
