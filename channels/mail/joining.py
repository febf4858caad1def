"""Which conversation a mail joins. Decided before it is stored, for a message is never moved afterwards.

A mail joins the conversation that its recipient address, or the Message-ID of ours that it answers, names, if that was
issued to the author in From, and if it is proven that the mail comes from there. All others begin a conversation of
their own. Only mails that name a conversation are looked at here, and for `SECONDS` at most: what is not proven by then
(DNS is down, say) is stored by itself; the desk puts it to the case when reading it proves its author.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog

from channels.mail.addresses import AddressBook, participant
from channels.mail.authenticate import Authenticator
from channels.mail.dmarc import Verdict
from channels.mail.parse import MAX_HEADER_BYTES, ParsedMail
from channels.mail.worker import ParserPool, Unreadable

SECONDS = 6.0
_ANSWERS_US = b"<r."
log = structlog.get_logger()


@dataclass(frozen=True)
class Entry:
    """What was found out about a mail at the door."""

    key: str | None = None
    """The conversation that it joins; None: it begins one."""
    author: str = ""
    """Proven, if `key` is set."""
    verdict: Verdict | None = None
    """None when nobody looked, or DNS did not answer: then it is looked at again when the mail is read."""


class Joining:
    """`trusts_this_machine`: nobody from elsewhere can connect, so that a mail that passed no other server is its
    sender's."""

    def __init__(
        self, book: AddressBook, heads: ParserPool, authenticator: Authenticator, *, trusts_this_machine: bool
    ) -> None:
        self._book = book
        self._heads = heads
        self._authenticator = authenticator
        self._trusts_this_machine = trusts_this_machine

    async def entry(self, raw: bytes, envelope: Mapping[str, Any], hops: int) -> Entry:
        """`hops`: servers that the mail passed before us. Never raises for what a mail or DNS does."""
        if _ANSWERS_US not in raw[:MAX_HEADER_BYTES] and not any(map(self._book.key_in, envelope["rcpt_to"])):
            return Entry()
        try:
            async with asyncio.timeout(SECONDS):
                return await self._looked_at(raw, envelope, hops)
        except (TimeoutError, Unreadable, OSError) as fault:
            log.warning("mail_join_undecided", size=len(raw), fault=type(fault).__name__)
            return Entry()

    def named(self, parsed: ParsedMail, recipients: Iterable[str]) -> list[str]:
        """The conversations that a mail names, proven or not."""
        keys = (self._book.key_in(name) for name in (*recipients, *parsed.answers))
        return list(dict.fromkeys(key for key in keys if key))

    def issued(self, parsed: ParsedMail, recipients: Iterable[str]) -> str | None:
        """The conversation that a mail names by what we issued to its author."""
        author = parsed.author or ""
        keys = (self._book.conversation_of(name, author) for name in (*recipients, *parsed.answers))
        return next((key for key in keys if key), None)

    async def _looked_at(self, raw: bytes, envelope: Mapping[str, Any], hops: int) -> Entry:
        sender = str(envelope["mail_from"])
        parsed = await self._heads.parse(raw[:MAX_HEADER_BYTES], sender)
        key = self.issued(parsed, envelope["rcpt_to"])
        if key is None or not _head_ends(raw):
            return Entry()
        author = participant(parsed.author or "")
        if self._trusts_this_machine:
            return Entry(key, author) if not hops and author == participant(sender) else Entry()
        verdict = await self._authenticator.verdict(raw, parsed, envelope)
        found = Entry(author=author, verdict=None if verdict.result == "temperror" else verdict)
        return replace(found, key=key) if verdict.proves else found


def _head_ends(raw: bytes) -> bool:
    """Within what was looked at; a second From may stand further down."""
    return len(raw) <= MAX_HEADER_BYTES or b"\n\n" in raw[:MAX_HEADER_BYTES].replace(b"\r\n", b"\n")
