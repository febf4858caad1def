"""Tokens and codes of invitations. Neither is stored: a row is found by the keyed hash of what was shown."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from typing import Final

from bot.keys import derive
from bot.understanding.folding import fold_in_place

TOKEN_BYTES: Final = 32
CODE_CHARACTERS: Final = 6
ALPHABET: Final = "346789ACDEFHJKMNPRTUWXY"
"""That of case numbers: nothing that looks alike."""
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_CODE: Final = re.compile(rf"(?<![A-Z0-9])(?=[A-Z]*[0-9])(?=[0-9]*[A-Z])[{ALPHABET}]{{{CODE_CHARACTERS}}}(?![A-Z0-9])")
MOST_CODES: Final = 5
"""So many are looked up in one message."""


class Tokens:
    def __init__(self, root: bytes) -> None:
        self._key = derive(root, "invitation")
        self._code_key = derive(root, "invitation: code")

    def new_token(self) -> str:
        """256 random bits in 43 characters of [A-Za-z0-9_-], which is what a deep link may carry (64 at most)."""
        return secrets.token_urlsafe(TOKEN_BYTES)

    def new_code(self) -> str:
        """Always with a letter and a digit: no word and no amount is taken for one. 23**6 is 148 million."""
        while True:
            code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_CHARACTERS))
            if _CODE.fullmatch(code):
                return code

    def of_token(self, token: str) -> str | None:
        """Its hash; None for what cannot be one of ours."""
        return self._hash(self._key, token) if _TOKEN.fullmatch(token) else None

    def of_code(self, code: str, conversation_id: int) -> str:
        """A code is good in one conversation only, so its hash is over both."""
        return self._hash(self._code_key, f"{conversation_id}\x00{code}")

    def _hash(self, key: bytes, text: str) -> str:
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def codes_in(text: str) -> Sequence[str]:
    """What may be codes, in any spelling of letters."""
    return list(dict.fromkeys(_CODE.findall(fold_in_place(text).upper())))[:MOST_CODES]


def without_codes(text: str) -> str:
    return _CODE.sub(" ", fold_in_place(text).upper())
