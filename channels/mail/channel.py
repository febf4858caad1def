"""The mail channel put together: receiver, parser processes, sender authentication, and the way out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol, override

import structlog

from channels.contract import (
    Capabilities,
    Channel,
    ChannelContext,
    Figures,
    Kind,
    OutboundMessage,
    ReadMessage,
    SendReceipt,
)
from channels.faults import RetryLater
from channels.files_contract import Attachment
from channels.mail.addresses import AddressBook, participant
from channels.mail.authenticate import Authenticator
from channels.mail.caps import Caps
from channels.mail.dmarc import Verdict
from channels.mail.fetching import Fetcher
from channels.mail.intake import CHANNEL, Intake
from channels.mail.joining import Joining
from channels.mail.maildrop import Maildrop
from channels.mail.parse import ParsedMail
from channels.mail.receive import Receiver
from channels.mail.relay import Relay
from channels.mail.resolver import Dns, SystemDns
from channels.mail.send import Letter, write
from channels.mail.settings import MailSettings
from channels.mail.worker import SIGNATURE_SECONDS, ParserPool, Unreadable

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
        self._bulk_from = settings.bulk_address or settings.address
        self._book = AddressBook(settings.address, context.secret)
        self._parsers = ParserPool(settings.parse_seconds, settings.parse_memory_bytes)
        # Apart from those that read whole mails: at the door nobody waits for one that is slow to read.
        self._heads = ParserPool(SIGNATURE_SECONDS, settings.parse_memory_bytes, processes=1)
        mode = _mode(settings, context.host)
        self._authenticator = Authenticator(
            mode, settings.trusted_authserv_id, dns or _resolver(settings), self._heads.signed_by
        )
        self._joining = Joining(self._book, self._heads, self._authenticator, trusts_this_machine=mode == "local")
        intake = Intake(self._joining, context.accept)
        self._receiver = Receiver(settings, self._book, intake)
        self._fetcher = Fetcher(settings, self._book, intake, context.data_dir / "mail") if settings.imap_host else None
        self._caps = Caps(context.data_dir / "mail", settings, context.secret)
        self._out: WayOut = Relay(settings) if settings.relay_host else Maildrop(context.data_dir / "maildrop")
        self._started = False
        self.capabilities = Capabilities(
            max_characters=20_000,
            patience_seconds=120,
            one_reply=True,
            formatted=True,
            reaches="email",
            broadcasts=True,
            repeat_harmless=self._out.repeat_harmless,
        )

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port of the listener, once started (port 0 in the settings becomes a free one)."""
        return self._receiver.address

    @override
    async def start(self) -> None:
        await self._receiver.start(self._context.host, self._context.ports["smtp"])
        if self._fetcher is not None:
            self._fetcher.start()
        self._started = True

    @override
    async def stop(self) -> None:
        if self._fetcher is not None:
            await self._fetcher.stop()
        await self._receiver.stop()

    @override
    async def close(self) -> None:
        self._authenticator.close()
        await self._parsers.close()
        await self._heads.close()

    @override
    def title(self, language: str) -> str:
        return self._context.words.say("mail.title", language)

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
        fetching = None if self._fetcher is None else self._fetcher.trouble()
        return fetching or self._receiver.trouble() or self._out.trouble() or self._caps.trouble()

    @override
    def figures(self) -> Figures:
        figures = self._receiver.figures()
        if self._fetcher is None:
            return figures
        return replace(figures, refused=Counter(figures.refused) + self._fetcher.refused)

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
        return self._understood(parsed, sender, envelope, await self._verdict(raw, parsed, envelope))

    @override
    async def formatted(self, raw: bytes, envelope: Mapping[str, Any]) -> str | None:
        return await self._parsers.html_form(raw)

    @override
    async def send(self, message: OutboundMessage) -> SendReceipt:
        names = self._context.exchange_names
        exchange = names.get(message.language) or next(iter(names.values()), "")
        default = self._context.words.say("mail.subject_default", message.language, exchange=exchange)
        letter = write(message, self._book, exchange, default, self._context.public_url, self._bulk_from)
        if message.automatic and not message.unsubscribe:  # notices have a rate of their own, at the desk
            await self._caps.take(message)
        return await self._out.deliver(letter)

    async def _verdict(self, raw: bytes, parsed: ParsedMail, envelope: Mapping[str, Any]) -> Verdict:
        """As it was found at the door, where that was done: DNS may say something else by now."""
        if "verdict" in envelope:
            return Verdict(**envelope["verdict"])
        if self._kind(parsed, str(envelope.get("mail_from", ""))) is not Kind.MESSAGE:
            return Verdict()
        return await self._authenticator.verdict(raw, parsed, envelope)

    def _understood(
        self, parsed: ParsedMail, sender: str, envelope: Mapping[str, Any], verdict: Verdict
    ) -> ReadMessage:
        recipients = envelope.get("rcpt_to") or [self._book.inbox]
        bounced, kind = self._bounced(parsed), self._kind(parsed, sender)
        names = () if kind is Kind.OWN or "joined" in envelope else tuple(self._joining.named(parsed, recipients))
        issued = self._joining.issued(parsed, recipients) if names and verdict.proves else None
        return ReadMessage(
            text=parsed.text,
            kind=kind,
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
            note=self._note(parsed, envelope, bounced, verdict, strayed=bool(names) and not issued),
            continues=issued,
            seems_to_continue=names,
            undelivered=self._undelivered(bounced),
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

    def _undelivered(self, bounced: Mapping[str, str]) -> str | None:
        """For good is what has a status of class 5 (RFC 3463 section 3.1)."""
        for_good = bounced.get("bounced_status", "").startswith("5")
        return self._book.named_by(bounced["bounced_message_id"]) if for_good else None

    def _note(
        self,
        parsed: ParsedMail,
        envelope: Mapping[str, Any],
        bounced: Mapping[str, str],
        verdict: Verdict,
        *,
        strayed: bool,
    ) -> str | None:
        """`strayed`: the mail names a conversation, and did not join it. Who joined one is answered at the address that
        takes part in it, wherever the mail was sent from."""
        notes = [_bounce_note(bounced["bounced_status"])] if bounced else []
        sender = participant(str(envelope.get("mail_from", "")))
        confirmed = "joined" in envelope or (parsed.author is not None and participant(parsed.author) == sender)
        if not bounced and not confirmed:
            notes.append("mail.note_sender")
        if verdict.result == "fail":
            notes.append("mail.note_forged")
        if strayed and not bounced:
            notes.append("mail.note_strayed")
        if not parsed.whole:
            notes.append("mail.note_partial" if parsed.text else "mail.note_unreadable")
        language = "zh" if _has_chinese(parsed.subject + parsed.text[:1000]) else "en"
        status = bounced.get("bounced_status", "")
        return " ".join(self._context.words.say(key, language, status=status) for key in notes) or None


def _mode(settings: MailSettings, host: str) -> str:
    """Where nobody from outside comes in, nobody needs to be verified (a first try without DNS, for one): "local"."""
    if settings.authentication != "auto":
        return settings.authentication
    closed = host == "localhost" or host.startswith("127.") or host == "::1"
    return "local" if closed and not settings.imap_host else "verify"


def _resolver(settings: MailSettings) -> Dns:
    host, _, port = settings.resolver.rpartition(":")
    return SystemDns([host], int(port)) if settings.resolver else SystemDns()


def _bounce_note(status: str) -> str:
    """By the class of the status code (RFC 3463 section 3.1)."""
    classes = {"5": "mail.note_bounce_permanent", "4": "mail.note_bounce_temporary"}
    return classes.get(status[:1], "mail.note_bounce")


def _has_chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)
