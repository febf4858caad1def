"""Case numbers: "RD-7KWHM-3XTPA". Readable over the phone, not guessable, unique by constraint.

Nine random characters of a 23-letter alphabet (40.7 bits) and one check character. The alphabet leaves out what
looks alike (0 O Q, 1 I L, 2 Z, 5 S, 8 B, 6 G, U V). 23 is prime, so that a weighted sum modulo 23 catches every
single wrong character and every swap of two neighbours.
"""

from __future__ import annotations

import re
import secrets

ALPHABET = "346789ACDEFHJKMNPRTUWXY"
RANDOM_CHARACTERS = 9
_WEIGHTS = range(2, 2 + RANDOM_CHARACTERS)
LONGEST_TEXT = 20_000
MOST_FOUND = 5
_WRITTEN = re.compile(r"^\s*RD[\s-]*([0-9A-Z]{5})[\s-]*([0-9A-Z]{5})\s*$", re.IGNORECASE)

_INSIDE = re.compile(r"(?<![0-9A-Z])RD[ -]{0,3}[0-9A-Z]{5}[ -]{0,3}[0-9A-Z]{5}(?![0-9A-Z])", re.IGNORECASE)


def new_number() -> str:
    body = "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_CHARACTERS))
    whole = body + _check_character(body)
    return f"RD-{whole[:5]}-{whole[5:]}"


def normalised(written: str) -> str | None:
    """The number as we write it, from what a person typed or read out; None when it cannot be one of ours."""
    match = _WRITTEN.match(written)
    if match is None:
        return None
    whole = (match.group(1) + match.group(2)).upper()
    if any(character not in ALPHABET for character in whole) or _check_character(whole[:-1]) != whole[-1]:
        return None
    return f"RD-{whole[:5]}-{whole[5:]}"


def numbers_in(text: str) -> list[str]:
    """The case numbers that a text says, at most `MOST_FOUND`; whether there are such cases is another question."""
    found = (normalised(match) for match in _INSIDE.findall(text[:LONGEST_TEXT]))
    return list(dict.fromkeys(number for number in found if number))[:MOST_FOUND]


def _check_character(body: str) -> str:
    return ALPHABET[
        sum(weight * ALPHABET.index(character) for weight, character in zip(_WEIGHTS, body, strict=True)) % 23
    ]
