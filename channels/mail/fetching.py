"""The loop that takes mails out of a mailbox: store each, then mark it, then go on. What is not stored stays unread."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import structlog
from imapclient.exceptions import IMAPClientError, LoginError

from channels.faults import NotStored
from channels.mail.addresses import AddressBook, is_mailbox
from channels.mail.intake import Intake, header_block, hops
from channels.mail.mailbox import Mailbox, Mark
from channels.mail.settings import MailSettings

FILE = "mailbox.json"
LONGEST_PAUSE_SECONDS = 600.0
STOP_SECONDS = 4.0
_RETURN_PATH = re.compile(rb"^return-path:[ \t]*<([^<>\s]{0,320})>", re.IGNORECASE | re.MULTILINE)
_RECIPIENTS = re.compile(
    rb"^(?:delivered-to|x-original-to|envelope-to|to|cc):((?:[^\n]|\n[ \t])*)", re.IGNORECASE | re.MULTILINE
)
_FROM = re.compile(rb"^from:((?:[^\n]|\n[ \t])*)", re.IGNORECASE | re.MULTILINE)
_ADDRESS = re.compile(rb"[^\s<>,;:\"()]{1,64}@[^\s<>,;:\"()]{1,255}")

log = structlog.get_logger()


class Fetcher:
    """Until `stop`. No fault ends it: a mailbox that cannot be reached today may be reached tomorrow."""

    def __init__(self, settings: MailSettings, book: AddressBook, intake: Intake, folder: Path) -> None:
        self._settings = settings
        self._book = book
        self._intake = intake
        self._mailbox = Mailbox(settings)
        self._file = folder / FILE
        self._task: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._failures = 0
        self._down_since: datetime | None = None
        self._fault = ""
        self._too_large: set[int] = set()
        self.refused: Counter[str] = Counter()
        self.looked = asyncio.Event()
        """Set after each look that went well."""

    def start(self) -> None:
        self._stopping.clear()
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._task = asyncio.create_task(self._run(), name="mailbox")

    async def stop(self) -> None:
        """The mail in hand is finished, if that takes no longer than `STOP_SECONDS`; else it comes again and is
        recognised then."""
        self._stopping.set()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=STOP_SECONDS)
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
        self._mailbox.close()

    def trouble(self) -> str | None:
        if self._down_since is not None:
            since = self._down_since.strftime("%Y-%m-%d %H:%M UTC")
            return f"the mailbox on {self._settings.imap_host} has not been reached since {since} ({self._fault})"
        if count := len(self._too_large):
            return f"{count} mails in the mailbox are larger than max_message_bytes; they stay unread there"
        return None

    async def _run(self) -> None:
        while not self._stopping.is_set():
            pause = await self._round()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)

    async def _round(self) -> float:
        """One look and its consequences; the seconds until the next."""
        try:
            await self._look()
        except NotStored as fault:
            return self._back_off(fault.after_seconds)
        except (OSError, IMAPClientError) as error:
            self._not_reached(error)
            return self._back_off()
        except Exception as error:  # an answer that the library could not read
            log.error("mailbox_round_broke", fault=type(error).__name__, exc_info=error)
            self._not_reached(error)
            return self._back_off()
        self._failures, self._down_since = 0, None
        self.looked.set()
        return self._settings.imap_seconds

    async def _look(self) -> None:
        """In the order of their numbers, so that the mark never passes one that is not stored."""
        mark = self._known()
        validity, waiting = await asyncio.to_thread(self._mailbox.look, mark)
        self._too_large &= set(waiting)
        for uid in waiting:
            if self._stopping.is_set():
                return
            await self._take(uid)
            if mark is not None and mark.validity == validity and uid > mark.uid:
                mark = Mark(validity, uid)
                self._remember(mark)
        self._remember(self._mailbox.newest())

    async def _take(self, uid: int) -> None:
        size = await asyncio.to_thread(self._mailbox.size, uid)
        if size is None:
            return
        if size > self._settings.max_message_bytes:
            self.refused["size"] += uid not in self._too_large
            self._too_large.add(uid)
            return
        raw = await asyncio.to_thread(self._mailbox.fetch, uid)
        if raw is None:
            return
        # It came to us over at least the server that keeps the mailbox.
        await self._intake.take(raw, self._envelope(raw), max(1, hops(raw)))
        await asyncio.to_thread(self._mailbox.taken, uid)

    def _envelope(self, raw: bytes) -> dict[str, object]:
        """What the server that keeps the mailbox wrote down of it (RFC 5321 section 4.4)."""
        head = header_block(raw)
        ours = [address for address in _addresses(_RECIPIENTS, head) if self._book.is_ours(address)]
        recipients = list(dict.fromkeys(ours)) or [self._settings.address]
        return {"mail_from": _sender(head), "rcpt_to": recipients, "peer": "", "helo": "", "smtputf8": False}

    def _known(self) -> Mark | None:
        try:
            return Mark(**json.loads(self._file.read_bytes()))
        except (OSError, ValueError, TypeError):
            return None  # what is unread is taken, and what was stored before is recognised

    def _remember(self, mark: Mark) -> None:
        partial = self._file.with_suffix(".new")
        partial.write_text(json.dumps(vars(mark)))
        partial.replace(self._file)

    def _not_reached(self, error: Exception) -> None:
        self._mailbox.close()
        self._fault = "the log-in was refused" if isinstance(error, LoginError) else type(error).__name__
        if self._down_since is None:
            self._down_since = datetime.now(UTC)
            log.warning("mailbox_not_reached", fault=type(error).__name__)

    def _back_off(self, seconds: float | None = None) -> float:
        self._failures += 1
        doubled = self._settings.imap_seconds * 2 ** min(self._failures - 1, 10)
        return seconds or min(doubled, LONGEST_PAUSE_SECONDS)


def _sender(head: bytes) -> str:
    """The envelope sender; where the server did not keep it, the one author that "From" names."""
    if found := _RETURN_PATH.search(head):
        return found.group(1).decode(errors="replace")
    authors = _addresses(_FROM, head)
    return authors[0] if len(authors) == 1 else ""


def _addresses(fields: re.Pattern[bytes], head: bytes) -> list[str]:
    found = [each.decode(errors="replace") for field in fields.findall(head) for each in _ADDRESS.findall(field)]
    return [address for address in found if is_mailbox(address)]
