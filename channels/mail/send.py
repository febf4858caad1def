"""Builds the mail of an answer. Everything that comes from a stranger (subject, ids, addresses) is cleaned first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime

from channels.contract import OutboundMessage
from channels.faults import Rejected
from channels.mail import body
from channels.mail.addresses import AddressBook, is_mailbox, participant
from channels.mail.charset import one_line
from channels.mail.headers import MAX_REFERENCES, MAX_SUBJECT, decoded, message_ids

_PREFIX = re.compile(r"^((re|aw|sv|antw|回复|回覆|答复|答覆)\s*(\[\d+\])?\s*[:：]\s*)+", re.IGNORECASE)
_LANGUAGES = {"zh": "zh-CN", "zh-Hant": "zh-Hant", "en": "en"}


@dataclass(frozen=True)
class Letter:
    """A finished mail and the envelope it travels in."""

    sender: str
    """Empty for automatic answers: nothing may be sent back to them (RFC 3834 section 3.3). Of a notice, which is no
    answer, it is to be heard that it did not arrive."""
    recipient: str
    message_id: str
    written_at: datetime
    content: bytes


def write(
    message: OutboundMessage,
    book: AddressBook,
    exchange: str,
    default_subject: str,
    own_address: str,
    bulk_from: str = "",
) -> Letter:
    """`own_address`: where our pages are, the only links of a mail. `bulk_from`: what notices to subscribers come from.

    Raises Rejected when the recipient is not one plain address, or is ourselves, or must not get an automatic answer
    because it probably wrote nothing to us.
    """
    recipient = _checked(message.recipient, book)
    if message.automatic and _forged(message):
        raise Rejected("no automatic answer was sent: the mail is probably forged, its sender could not be confirmed")
    mail = EmailMessage(policy=SMTP if recipient.isascii() else SMTPUTF8)
    mail["From"] = Address(
        display_name=plain_header(exchange), addr_spec=(bulk_from if message.unsubscribe else "") or book.inbox
    )
    mail["To"] = recipient
    mail["Subject"] = reply_subject(message, default_subject)
    mail["Date"] = format_datetime(message.created_at)
    language = _LANGUAGES.get(message.language, "en")
    message_id = book.message_id(message.message_id, message.conversation_key, message.recipient)
    body.fill(mail, message.text, language, own_address, seed=message_id)
    mail["Content-Language"] = language
    reply_to = book.reply_address(message.conversation_key, message.recipient)
    return Letter(
        sender="" if message.automatic and not message.unsubscribe else book.inbox,
        recipient=recipient,
        message_id=message_id,
        written_at=message.created_at,
        content=_identity(message_id, reply_to, message) + mail.as_bytes(),
    )


def reply_subject(message: OutboundMessage, default: str) -> str:
    """ "Re: " and the subject that the user wrote, or our own for a conversation that has none.

    What no person of ours wrote repeats nothing of an unproven sender: else whoever forges an address could have us
    send their words to it."""
    if message.automatic and message.thread and not authenticated(message):
        return f"Re: {plain_header(default)}"
    theirs = _PREFIX.sub("", plain_header(message.thread.get("subject", "")))
    if theirs:
        return f"Re: {theirs}"
    return plain_header(message.subject) or plain_header(default)


def authenticated(message: OutboundMessage) -> bool:
    """Whether the newest mail of the conversation was proven to come from the address that is written to."""
    proven = message.thread.get("authentication") == "pass" or bool(message.thread.get("alignment"))
    return proven and _is_author(message)


def _forged(message: OutboundMessage) -> bool:
    """DMARC says so of the author; or, where the envelope names somebody else than From, SPF of the envelope."""
    if message.thread.get("authentication") == "fail":
        return True
    return message.thread.get("spf") == "fail" and not _is_author(message)


def _is_author(message: OutboundMessage) -> bool:
    return participant(message.thread.get("from", "")) == participant(message.recipient)


def plain_header(text: str) -> str:
    """Text that means itself in a header: on Python before 3.12.5 an encoded line end inside an encoded word comes
    out as a real one and begins a new header (CVE-2024-6923), so no encoded word is left."""
    for _ in range(3):
        text = decoded(text, MAX_SUBJECT)
    return one_line(text.replace("=?", "= ?"), MAX_SUBJECT)


def _checked(recipient: str, book: AddressBook) -> str:
    # The library would decode what looks like an encoded word, and write to whom it names.
    if not is_mailbox(recipient) or "=?" in recipient:
        raise Rejected("the answer cannot be sent: the recipient is not one plain mail address")
    if book.is_own(recipient):
        raise Rejected("the answer cannot be sent: the recipient is our own inbox")
    local, _, domain = recipient.rpartition("@")
    try:
        return f"{local}@{domain if domain.isascii() else domain.encode('idna').decode()}"
    except UnicodeError:
        raise Rejected("the answer cannot be sent: the recipient's domain is not a valid name") from None


def _identity(message_id: str, reply_to: str, message: OutboundMessage) -> bytes:
    """The fields that thread an answer (RFC 5322 section 3.6.4) and mark what no person wrote (RFC 3834 section 3.1.7).

    Written out here because the library breaks ids that do not fit on a line into encoded words, which no mail
    program recognises as ids any more. All values are ours or passed a strict pattern.
    """
    parent = message_ids(message.thread.get("message_id", ""))[:1]
    chain = [i for i in message_ids(message.thread.get("references", "")) if i not in parent][-MAX_REFERENCES:]
    lines = [f"Message-ID: {message_id}", f"Reply-To: {reply_to}"]
    if parent:
        lines += [f"In-Reply-To: {parent[0]}", "References: " + "\r\n ".join([*chain, *parent])]
    if message.automatic:
        lines.append("Auto-Submitted: " + ("auto-replied" if parent else "auto-generated"))
    lines += _bulk(message.unsubscribe)
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def _bulk(unsubscribe: str) -> list[str]:
    """The fields by which a mail program offers to unsubscribe (RFC 2369 section 3.2, RFC 8058 section 3.1: one click
    needs https). Precedence keeps vacation notes away (RFC 3834 section 2)."""
    if not unsubscribe:
        return []
    one_click = ["List-Unsubscribe-Post: List-Unsubscribe=One-Click"] if unsubscribe.startswith("https://") else []
    return ["Precedence: bulk", f"List-Unsubscribe: <{unsubscribe}>", *one_click]
