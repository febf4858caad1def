"""A mailbox on an IMAP server (RFC 3501): which mails wait in it, and each of them whole.

Blocking: call it in a thread. Nothing is moved or deleted. A mail is marked as read when the desk has stored it, so
that whoever opens the mailbox sees what was taken.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from imapclient import SEEN, IMAPClient

from channels.mail.settings import MailSettings

ANSWER_SECONDS = 30.0
_SIZE, _BODY = b"RFC822.SIZE", b"BODY[]"


@dataclass(frozen=True)
class Mark:
    """Up to where a mailbox has been looked through. `validity` names the numbering (RFC 3501 section 2.3.1.1)."""

    validity: int
    uid: int


class Mailbox:
    def __init__(self, settings: MailSettings) -> None:
        self._settings = settings
        self._client: IMAPClient | None = None
        self._validity = 0
        self._next_uid = 1

    def look(self, mark: Mark | None) -> tuple[int, Sequence[int]]:
        """The numbering, and the mails that wait, oldest first: those after the mark, and all that are unread.

        The very first look, and one after the server numbered anew, take what is unread. Raises OSError or IMAPClient's
        errors; the next look connects anew then.
        """
        client = self._connected()
        chosen = client.select_folder(self._settings.imap_folder)
        self._validity = int(chosen[b"UIDVALIDITY"])
        self._next_uid = int(chosen.get(b"UIDNEXT", 1))
        waiting = set(client.search(["UNSEEN"]))
        if mark is not None and mark.validity == self._validity:
            # "n:*" names the last mail even if its number is below n.
            waiting.update(uid for uid in client.search(["UID", f"{mark.uid + 1}:*"]) if uid > mark.uid)
        return self._validity, sorted(waiting)

    def newest(self) -> Mark:
        """Of the last look: everything before it has been seen."""
        return Mark(self._validity, self._next_uid - 1)

    def size(self, uid: int) -> int | None:
        """Bytes; None when the mail is gone."""
        found = self._of(uid, "RFC822.SIZE")
        return None if found is None else int(found[_SIZE])

    def fetch(self, uid: int) -> bytes | None:
        """The whole mail, which stays unread; None when it is gone."""
        found = self._of(uid, "BODY.PEEK[]")
        return None if found is None else bytes(found[_BODY])

    def taken(self, uid: int) -> None:
        self._connected().add_flags([uid], [SEEN], silent=True)

    def close(self) -> None:
        """Without a word to the server: it may be the one that does not answer."""
        client, self._client = self._client, None
        if client is not None:
            client.shutdown()

    def _of(self, uid: int, item: str) -> dict[bytes, Any] | None:
        found: dict[int, dict[bytes, Any]] = self._connected().fetch([uid], [item])
        return found.get(uid)

    def _connected(self) -> IMAPClient:
        if self._client is None:
            client = self._opened()
            try:
                client.login(self._settings.imap_user, self._settings.imap_password.get_secret_value())
            except BaseException:
                client.shutdown()
                raise
            self._client = client
        return self._client

    def _opened(self) -> IMAPClient:
        settings = self._settings
        implicit = settings.imap_tls == "implicit"
        trust = ssl.create_default_context() if settings.imap_tls != "off" else None
        client = IMAPClient(
            settings.imap_host,
            settings.imap_port,
            ssl=implicit,
            ssl_context=trust if implicit else None,
            timeout=ANSWER_SECONDS,
        )
        if settings.imap_tls == "starttls":
            try:
                client.starttls(trust)
            except BaseException:
                client.shutdown()
                raise
        return client
