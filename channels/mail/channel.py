"""The mail channel put together: receiver, parser processes, sender authentication, and the way out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, override

import structlog

from channels.contract import (
    Attachment,
    Capabilities,
    Channel,
    ChannelContext,
    Figures,
    Kind,
    OutboundMessage,
    ReadMessage,
    RetryLater,
    SendReceipt,
)
from channels.mail.addresses import AddressBook, participant
from channels.mail.authenticate import Authenticator
from channels.mail.caps import Caps
from channels.mail.dmarc import Verdict
from channels.mail.maildrop import Maildrop
from channels.mail.parse import ParsedMail
from channels.mail.receive import CHANNEL, Receiver
from channels.mail.relay import Relay
from channels.mail.resolver import Dns, SystemDns
from channels.mail.send import Letter, write
from channels.mail.settings import MailSettings
from channels.mail.worker import ParserPool, Unreadable

log = structlog.get_logger()


class WayOut(Protocol):
    repeat_harmless: bool

    async def deliver(self, letter: Letter) -> SendReceipt: ...

    def trouble(self) -> str | None: ...


class MailChannel(Channel):
    name = CHANNEL

    def __init__(self, context: ChannelContext, settings: MailSettings, dns: Dns | None = None) -> None:
        self._context = context
        self._door = settings.address
        self._book = AddressBook(settings.address, context.secret)
        self._receiver = Receiver(settings, self._book, context.accept)
        self._parsers = ParserPool(settings.parse_seconds, settings.parse_memory_bytes)
        self._authenticator = Authenticator(
            _mode(settings, context.host), settings.trusted_authserv_id, dns or SystemDns(), self._parsers.signed_by
        )
        self._caps = Caps(context.data_dir / "mail", settings, context.secret)
        self._out: WayOut = Relay(settings) if settings.relay_host else Maildrop(context.data_dir / "maildrop")
        self._started = False
        self.capabilities = Capabilities(
            max_characters=20_000,
            patience_seconds=120,
            one_reply=True,
            reaches="email",
            repeat_harmless=self._out.repeat_harmless,
        )

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port of the listener, once started (port 0 in the settings becomes a free one)."""
        return self._receiver.address

    @override
    async def start(self) -> None:
        await self._receiver.start(self._context.host, self._context.ports["smtp"])
        self._started = True

    @override
    async def stop(self) -> None:
        await self._receiver.stop()

    @override
    async def close(self) -> None:
        self._authenticator.close()
        await self._parsers.close()

    @override
    def door(self) -> str:
        return self._door

    @override
    def deaf(self) -> str | None:
        if self._started and not self._receiver.listening:
            return "the listener does not take messages; restart the desk"
        return None

    @override
    def trouble(self) -> str | None:
        return self._out.trouble() or self._caps.trouble()

    @override
    def figures(self) -> Figures:
        return self._receiver.figures()

    @override
    async def read(self, raw: bytes, envelope: Mapping[str, Any]) -> ReadMessage:
        """Raises RetryLater when no parser process can be started; bad input gives a message with a note."""
        sender = str(envelope.get("mail_from", ""))
        try:
            parsed = await self._parsers.parse(raw, sender)
        except Unreadable:
            log.warning("mail_unreadable", size=len(raw))
            kind = Kind.MESSAGE if sender else Kind.AUTOMATIC
            return ReadMessage(text="", kind=kind, note=self._context.words.say("mail.note_unreadable", "en"))
        except OSError as error:
            raise RetryLater(f"no process to read mail could be started ({error.strerror or error})") from error
        answered = self._kind(parsed, sender) is Kind.MESSAGE
        verdict = await self._authenticator.verdict(raw, parsed, envelope) if answered else Verdict()
        return self._understood(parsed, sender, envelope, verdict)

    @override
    async def send(self, message: OutboundMessage) -> SendReceipt:
        names = self._context.exchange_names
        exchange = names.get(message.language) or next(iter(names.values()), "")
        default = self._context.words.say("mail.subject_default", message.language, exchange=exchange)
        letter = write(message, self._book, exchange, default)
        if message.automatic:
            await self._caps.take(message)
        return await self._out.deliver(letter)

    def _understood(
        self, parsed: ParsedMail, sender: str, envelope: Mapping[str, Any], verdict: Verdict
    ) -> ReadMessage:
        recipients = envelope.get("rcpt_to") or [self._book.inbox]
        bounced = self._bounced(parsed)
        return ReadMessage(
            text=parsed.text,
            kind=self._kind(parsed, sender),
            subject=parsed.subject,
            attachments=tuple(
                Attachment(filename=f.filename, content_type=f.content_type, data=f.data) for f in parsed.files
            ),
            thread={
                "message_id": parsed.message_id,
                "references": parsed.references,
                "subject": parsed.subject,
                "from": parsed.author or sender,
                "to": str(recipients[0]),
                "authentication": verdict.result,
                "alignment": verdict.alignment,
                "spf": verdict.spf,
                **bounced,
            },
            urgent=parsed.urgent,
            note=self._note(parsed, sender, bounced, verdict),
        )

    def _kind(self, parsed: ParsedMail, sender: str) -> Kind:
        """Our own mail is known by its signed Message-ID or by our address: nobody else is meant to write from it."""
        authors = [address for address in (sender, parsed.author) if address]
        if self._book.is_own_message_id(parsed.message_id) or any(map(self._book.is_own, authors)):
            return Kind.OWN
        return Kind(parsed.kind)

    def _bounced(self, parsed: ParsedMail) -> dict[str, str]:
        """Which mail of ours did not arrive. Anyone can write a bounce, so only an id that we signed counts, and of its
        other claims none decides anything here."""
        own = next((i for i in parsed.bounced_ids if self._book.is_own_message_id(i)), None)
        if own is None:
            return {}
        return {
            "bounced_message_id": own,
            "bounced_recipient": parsed.bounced_recipient,
            "bounced_status": parsed.bounced_status,
        }

    def _note(self, parsed: ParsedMail, sender: str, bounced: Mapping[str, str], verdict: Verdict) -> str | None:
        notes = [_bounce_note(bounced["bounced_status"])] if bounced else []
        if not bounced and (parsed.author is None or participant(parsed.author) != participant(sender)):
            notes.append("mail.note_sender")
        if verdict.result == "fail":
            notes.append("mail.note_forged")
        if not parsed.whole:
            notes.append("mail.note_partial" if parsed.text else "mail.note_unreadable")
        language = "zh" if _has_chinese(parsed.subject + parsed.text[:1000]) else "en"
        status = bounced.get("bounced_status", "")
        return " ".join(self._context.words.say(key, language, status=status) for key in notes) or None


def _mode(settings: MailSettings, host: str) -> str:
    """Where nobody from outside comes in, nobody needs to be verified (a first try without DNS, for one)."""
    if settings.authentication != "auto":
        return settings.authentication
    return "off" if host == "localhost" or host.startswith("127.") or host == "::1" else "verify"


def _bounce_note(status: str) -> str:
    """By the class of the status code (RFC 3463 section 3.1)."""
    classes = {"5": "mail.note_bounce_permanent", "4": "mail.note_bounce_temporary"}
    return classes.get(status[:1], "mail.note_bounce")


def _has_chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)
