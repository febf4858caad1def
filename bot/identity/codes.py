"""One-time codes. No code is stored anywhere: it is a keyed hash over the row that stands for it.

As in HOTP (RFC 4226) the code comes from a secret and a moving factor; here the factor is a random nonce per code,
and conversation, account and address go into the hash, so that a code cannot serve for another of any of them.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from bot.identity.digits import DIGITS
from bot.keys import derive


class Codes:
    def __init__(self, root: bytes) -> None:
        self._key = derive(root, "one-time code")
        self._account_key = derive(root, "one-time code: account")

    def new_nonce(self) -> str:
        return secrets.token_hex(16)

    def code(self, nonce: str, conversation_id: int, uid: str | None, address: str) -> str:
        """Six digits. For nobody (`uid` None) there is one too, which nobody ever gets to know."""
        parts = (nonce, str(conversation_id), uid or "", address.casefold())
        digest = hmac.digest(self._key, "\x00".join(parts).encode(), hashlib.sha256)
        return f"{int.from_bytes(digest[:16]) % 10**DIGITS:0{DIGITS}}"  # the bias of the modulus is 2**-108

    def matches(self, typed: str, nonce: str, conversation_id: int, uid: str | None, address: str) -> bool:
        """Compares in constant time. What was sent to nobody matches nothing."""
        right = self.code(nonce, conversation_id, uid, address)
        return hmac.compare_digest(typed.encode(), right.encode()) and uid is not None

    def account_key(self, kind: str, value: str) -> str:
        """A name for an account, or for what somebody claims to be one, that does not say which it is."""
        text = f"{kind}\x00{value.strip().casefold()}"
        return hmac.new(self._account_key, text.encode(), hashlib.sha256).hexdigest()
