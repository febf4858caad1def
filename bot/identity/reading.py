"""What does a message say to somebody who asks for proof of identity? Pure, in both languages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from bot.understanding.entities import find_entities
from bot.understanding.folding import fold, fold_in_place

BUTTON: Final = "prove"
NEVER_MIND: Final = "never_mind"
MASK: Final = "••••••"
READ_AT_MOST: Final = 2_000
BESIDE_CODE: Final = 60
"""With more words than this around it, six digits are not an answer to "type the code"."""
CLAIM_CHARACTERS: Final = 60
"""A short message that names an account is the answer to our question, not the question that waits."""

_POLITE_EN = (
    r"(?:(?:yes|ok|okay|hi|hello|please|can i|could i|may i|i want to|i would like to|i'd like to|i will|let me) )*"
)
_PROVE_EN = (
    r"(?:verify me|verify myself|verify my identity|verify who i am|prove who i am|prove my identity|prove it is me"
    r"|prove it's me|identify me|identify myself|confirm my identity)"
)
_PROVE_ZH = (
    r"(?:请|我要|我想|我来|帮我|可以|麻烦|你好|您好|想|要|,|，| )*"
    r"(?:验证我的身份|验证一下身份|验证下身份|验证身份|身份验证|证明我的身份|证明身份|证明我是谁|证明是我本人|证明我是本人|核实我的身份"
    r"|核实身份|确认我的身份|验证我)(?:吧|一下|可以吗|谢谢)*"
)
_START: Final = re.compile(
    rf"(?:{_POLITE_EN}{_PROVE_EN}(?:,? (?:please|now))?|{_PROVE_ZH})(?P<rest>(?:[\s,.:;!?。，：；！？].*)?)", re.DOTALL
)
_NEVER_MIND: Final = re.compile(
    r"(?:(?:ah |ok |no |oh )?(?:never ?mind|nvm|forget it|forget about it|cancel(?: it| that)?|stop|leave it|skip it"
    r"|no need|not now|i changed my mind|don't bother)(?: please| thanks| thank you)?"
    r"|(?:那|还是|先)?(?:算了|不用了|取消|不验证了|不验了|不需要了|不要了|停|不弄了|放弃)吧?[,，。 ]?(?:谢谢)?)"
)
_LEAD_IN: Final = re.compile(
    r"(?:(?:sure|ok|okay|yes|hi|hello|it is|it's|here it is|here you go|my|the|registered)[ ,:]+)*"
    r"(?:(?:uid|user ?id|account(?: number| id)?|id|e-?mail(?: address)?)(?: is| number)?[ :#=]*)?"
    r"(?:(?:我的|我)?(?:uid|用户 ?id|账户|账号|帐号|用户编号|编号|邮箱|注册邮箱|id)(?:是|为|号)?[ ::#=]*)?"
    r"(?:是|it is |it's )?"
)
_UID: Final = re.compile(r"(?=[a-z_-]{0,16}[0-9])[a-z0-9_-]{3,64}", re.ASCII | re.IGNORECASE)
_SIX: Final = re.compile(
    r"(?<![A-Za-z0-9_@#$€£¥₦₹-])(?<![0-9][.,])([0-9]{3}[ -]?[0-9]{3})(?![A-Za-z0-9_@]|[.,-][0-9])", re.ASCII
)
_GROUP: Final = re.compile(
    r"(?<![A-Za-z0-9_@$€£¥₦₹])(?<![0-9]\.)([0-9]{3}[ -]?[0-9]{3})(?![A-Za-z0-9_@]|\.[0-9])", re.ASCII
)
"""Whatever may be a code that was sent: wider than `_SIX`, for a code that is known must not slip through."""


@dataclass(frozen=True)
class Claim:
    """Which account somebody says is theirs: kind "uid" or "email"."""

    kind: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a message may mean while identity is being proven; the state of the conversation decides what it does."""

    starts: bool = False
    never_mind: bool = False
    claim: Claim | None = None
    code: str | None = None
    whole: bool = True
    """False when more is said than fits into an answer of ours: it wants an answer of its own."""
    masked: str = ""
    """The text without the code, if there is one."""
    groups: frozenset[str] = frozenset()
    """Every different six digits that stand by themselves, whatever is around them."""
    beside: bool = False
    """So much stands with the digits that it wants an answer of its own."""


def read(text: str, payload: str | None = None, subject: str = "") -> Said:
    """`payload` is a pressed button, `subject` that of a first mail."""
    if payload is not None:
        return Said(starts=payload == BUTTON, never_mind=payload == NEVER_MIND, masked=text)
    start = _started(text) or (_started(subject) if subject else None)
    code, masked = _code(text)
    groups = six_digit_groups(f"{subject}\n{text}")
    by_subject = start is not None and not _started(text)
    return Said(
        starts=start is not None,
        never_mind=_NEVER_MIND.fullmatch(_plain(text)) is not None,
        claim=_claim(text if start is None else start.group("rest")) or (_claim(text) if start is not None else None),
        code=code,
        whole=len(text.strip()) <= CLAIM_CHARACTERS or (start is not None and not by_subject),
        masked=masked,
        groups=groups,
        beside=bool(groups) and code is None and len(_GROUP.sub("", fold_in_place(text)).strip()) > BESIDE_CODE,
    )


def six_digit_groups(text: str) -> frozenset[str]:
    return frozenset(_bare(match) for match in _GROUP.finditer(fold_in_place(text)))


def without_code(text: str, code: str) -> str:
    """The text with every place masked where this code stands."""
    pieces, end = [], 0
    for match in _GROUP.finditer(fold_in_place(text)):
        if _bare(match) == code:
            pieces += [text[end : match.start(1)], MASK]
            end = match.end(1)
    return "".join([*pieces, text[end:]])


def wants_proof(text: str, payload: str | None, subject: str = "") -> bool:
    """The cheap question asked of every message."""
    if payload is not None:
        return payload == BUTTON
    return _started(text) is not None or (bool(subject) and _started(subject) is not None)


def _started(text: str) -> re.Match[str] | None:
    """Only a message that is about nothing else: what is told with it deserves an answer of its own."""
    if len(text) > BESIDE_CODE * 4:
        return None
    match = _START.fullmatch(fold_in_place(text).lower().strip())
    if match is None:
        return None
    rest = match.group("rest").strip(" \n\t,.:;!?。，：；！？")
    return match if not rest or (len(rest) <= CLAIM_CHARACTERS and _claim(rest)) else None


def _plain(text: str) -> str:
    return fold(text).strip(" ,.!?;:。，！？；：~…")


def _claim(text: str) -> Claim | None:
    """The account that the text names: an address anywhere, else a number said to be a UID, else a bare one."""
    read = text[:READ_AT_MOST]
    found = {entity.kind: entity.value for entity in reversed(find_entities(read))}
    if "email" in found:
        return Claim("email", found["email"])
    if "uid" in found:
        return Claim("uid", found["uid"])
    for line in [read, *read.splitlines()[:1]]:
        bare = _plain(line)
        rest = bare[match.end() :] if (match := _LEAD_IN.match(bare)) else bare
        if _UID.fullmatch(rest):
            start = fold_in_place(line).lower().find(rest)
            return Claim("uid", fold_in_place(line)[start : start + len(rest)])
    return None


def _code(text: str) -> tuple[str | None, str]:
    """Six digits, however often, that stand alone in few words, and the text without them."""
    folded = fold_in_place(text[:READ_AT_MOST])
    found = list(_SIX.finditer(folded))
    if len({_bare(match) for match in found}) != 1 or any(_is_something_else(text, match) for match in found):
        return None, text
    first_line = folded.strip().partition("\n")[0].strip()
    if len(_SIX.sub("", folded).strip()) > BESIDE_CODE and first_line != found[0].group(1):
        return None, text
    code = _bare(found[0])
    return code, without_code(text, code)


def _bare(match: re.Match[str]) -> str:
    return re.sub("[ -]", "", match.group(1))


def _is_something_else(text: str, match: re.Match[str]) -> bool:
    """An amount of money, an order, a telephone number."""
    start, end = match.span(1)
    return any(entity.start < end and start < entity.end for entity in find_entities(text[:READ_AT_MOST]))
