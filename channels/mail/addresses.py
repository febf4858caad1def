"""Mail addresses: which text is one, which are ours, and the signed ones that carry a conversation.

A reply address is `<inbox>+<conversation key>.<version><signature>@<domain>`. The signature covers the conversation
key and the participant it was issued to, so that neither a stranger who saw the address nor a participant who
changes the key gets into a conversation. Our Message-IDs are signed likewise, so that our own mail is recognised
when it comes back, and carry the same tag: some mail programs answer to From, not to Reply-To. A tag names a
conversation; whether its sender is who he says is another question (`joining.py`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets

KEY_LENGTH = 24
"""Characters of a conversation key: 120 random bits in base32."""
SIGNATURE_LENGTH = 20
"""100 bits in base32."""
VERSION = "1"
MAX_INBOX_LOCAL = 64 - len("+.") - KEY_LENGTH - len(VERSION) - SIGNATURE_LENGTH
"""A local part has at most 64 octets (RFC 5321 section 4.5.3.1.1)."""

_KEY = re.compile(rf"[a-z2-7]{{{KEY_LENGTH}}}")
_TAG = re.compile(rf"({_KEY.pattern})\.{VERSION}([a-z2-7]{{{SIGNATURE_LENGTH}}})")
_HINT = re.compile(rf"({_KEY.pattern})(?:\..*)?")
_OWN_ID = re.compile(
    rf"<r\.([A-Za-z0-9._-]{{1,100}})\.([a-z2-7]{{{SIGNATURE_LENGTH}}})(?:\.({_TAG.pattern}))?@([^<>@\s]+)>"
)
_PLAIN_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")
_ATOM = r"[^\s\x00-\x20\x7f-\xa0<>()\[\]\\,;:@\"\u2028\u2029\ud800-\udfff\ufffd]"
_MAILBOX = re.compile(rf"{_ATOM}{{1,64}}@{_ATOM}{{1,255}}")
_BATV = re.compile(r"^prvs=[0-9a-z]{6,20}=", re.IGNORECASE)


def is_mailbox(text: str) -> bool:
    """Whether `text` is exactly one address without a display name, quotes, comments or control characters."""
    return _MAILBOX.fullmatch(text) is not None and all(text.rpartition("@")[2].split("."))


def participant(address: str) -> str:
    """The form in which addresses are compared: lower case, the domain in ASCII (IDNA), without a bounce tag (BATV)
    that changes daily."""
    local, _, domain = _BATV.sub("", address.strip()).casefold().rpartition("@")
    try:
        return f"{local}@{domain if domain.isascii() else domain.encode('idna').decode()}"
    except UnicodeError:
        return f"{local}@{domain}"


def new_conversation_key() -> str:
    return _base32(secrets.token_bytes(15), KEY_LENGTH)


class AddressBook:
    """The addresses of one inbox, signed with a key derived from the instance's secret."""

    def __init__(self, inbox: str, secret: bytes) -> None:
        self.inbox = inbox.lower()
        self.local, _, self.domain = self.inbox.rpartition("@")
        self._reply_key = _derived(secret, b"mail reply address v1")
        self._id_key = _derived(secret, b"mail message id v1")

    def is_ours(self, address: str) -> bool:
        """Whether mail to `address` reaches this desk: the inbox, a tagged form of it, or the postmaster
        (RFC 5321 section 4.5.1)."""
        local, _, domain = address.lower().rpartition("@")
        if address.lower() == "postmaster":
            return True
        return domain == self.domain and (local in (self.local, "postmaster") or local.startswith(f"{self.local}+"))

    def is_own(self, address: str) -> bool:
        """Whether `address` is one that our own answers are sent from."""
        return address.lower() != "postmaster" and self.is_ours(address)

    def reply_address(self, conversation_key: str, recipient: str) -> str:
        """The address under which `recipient`, and nobody else, reaches the conversation. A key that this channel
        did not make gets the plain inbox: such a reply starts a conversation of its own."""
        if not _KEY.fullmatch(conversation_key):
            return self.inbox
        return f"{self.local}+{self._tag(conversation_key, recipient)}@{self.domain}"

    def key_in(self, name: str) -> str | None:
        """The conversation that an address or a Message-ID names, whoever made it and in whatever version: a hint, good
        for nothing else."""
        if name.startswith("<"):
            tag = self._tag_in(name)
            return None if tag is None else tag[0]
        hint = _HINT.fullmatch(self._added(name))
        return None if hint is None else hint[1]

    def conversation_of(self, name: str, sender: str) -> str | None:
        """The conversation that an address or a Message-ID names if it was issued by us to `sender`; None otherwise.
        Tags of other versions are refused."""
        tag = self._tag_in(name)
        if tag is None or not sender or (name.startswith("<") and not self.is_own_message_id(name)):
            return None
        key, signature = tag
        return key if hmac.compare_digest(signature, self._reply_signature(key, sender)) else None

    def message_id(self, unique: str, conversation_key: str = "", recipient: str = "") -> str:
        """The Message-ID of the answer that the outbox calls `unique`; always the same for the same answer. It names
        the conversation too, if this channel made its key."""
        name = unique if _PLAIN_ID.fullmatch(unique) else hashlib.sha256(unique.encode(errors="replace")).hexdigest()
        tag = self._tag(conversation_key, recipient) if _KEY.fullmatch(conversation_key) else ""
        return f"<r.{name}.{self._id_signature(name, tag)}{tag and '.' + tag}@{self.domain}>"

    def is_own_message_id(self, message_id: str) -> bool:
        return self.named_by(message_id) is not None

    def named_by(self, message_id: str) -> str | None:
        """What the outbox calls the answer that has this Message-ID; None when it is none of ours."""
        match = _OWN_ID.fullmatch(message_id.strip())
        if match is None or match[6].lower() != self.domain:
            return None
        signed = hmac.compare_digest(match[2], self._id_signature(match[1], match[3] or ""))
        return match[1] if signed else None

    def _tag_in(self, name: str) -> tuple[str, str] | None:
        """Key and signature, not verified."""
        if name.startswith("<"):
            own = _OWN_ID.fullmatch(name)
            return (own[4], own[5]) if own and own[3] and own[6].lower() == self.domain else None
        match = _TAG.fullmatch(self._added(name))
        return None if match is None else (match[1], match[2])

    def _added(self, address: str) -> str:
        """What stands behind the "+" in a tagged form of our inbox; "" in all others."""
        local, _, domain = address.lower().rpartition("@")
        inbox, _, added = local.partition("+")
        return added if (inbox, domain) == (self.local, self.domain) else ""

    def _tag(self, key: str, participant_: str) -> str:
        return f"{key}.{VERSION}{self._reply_signature(key, participant_)}"

    def _reply_signature(self, key: str, address: str) -> str:
        return _signature(self._reply_key, f"{VERSION}\n{key}\n{participant(address)}")

    def _id_signature(self, name: str, tag: str) -> str:
        return _signature(self._id_key, f"{name}\n{tag}" if tag else name)


def _derived(secret: bytes, purpose: bytes) -> bytes:
    return hmac.digest(secret, purpose, "sha256")


def _signature(key: bytes, text: str) -> str:
    return _base32(hmac.digest(key, text.encode(errors="surrogateescape"), "sha256"), SIGNATURE_LENGTH)


def _base32(data: bytes, length: int) -> str:
    return base64.b32encode(data).decode().lower()[:length]
