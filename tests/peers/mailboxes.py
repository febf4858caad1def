"""Mailboxes into which a real Postfix delivers, and the Postfix configuration that does so."""

from __future__ import annotations

import asyncio
import grp
import pwd
import shutil
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

USERS = "user.example"
OURS = "exchange.example"
BORDER = "border.exchange.example"
"""The name by which the border signs what it found out about senders (RFC 8601)."""
PATIENCE_SECONDS = 40


class Mailboxes:
    """A Maildir per user, owned by the user that Postfix delivers as."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        folder.chmod(0o755)
        self.uid, self.gid = pwd.getpwnam("nobody").pw_uid, grp.getgrnam("nogroup").gr_gid
        shutil.chown(folder, self.uid, self.gid)

    def of(self, user: str) -> list[EmailMessage]:
        """Oldest first."""
        found = sorted((self.folder / user / "new").glob("*"), key=lambda path: path.stat().st_mtime_ns)
        return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in found]

    async def wait(self, user: str, count: int) -> list[EmailMessage]:
        """Until so many have come."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(found := self.of(user)) < count:
                await asyncio.sleep(0.1)  # a folder that another program writes tells nobody
        return found


def postfix_settings(desk_port: int, mailboxes: Mailboxes) -> str:
    """As the border of the desk's domain and as its relay, see channels/mail/README.md.

    A milter (OpenDMARC, rspamd) would find out who writes; here everybody of the users' domain is proven."""
    proven = f"Authentication-Results: {BORDER}; dmarc=pass header.from={USERS}"
    return f"""
relay_domains = {OURS}
transport_maps = inline:{{ {OURS}=smtp:[127.0.0.1]:{desk_port} }}
virtual_mailbox_domains = {USERS}
virtual_mailbox_base = {mailboxes.folder}
virtual_mailbox_maps = inline:{{ li@{USERS}=li/ wang@{USERS}=wang/ zhao@{USERS}=zhao/ }}
virtual_uid_maps = static:{mailboxes.uid}
virtual_gid_maps = static:{mailboxes.gid}
virtual_minimum_uid = 1
smtpd_sender_restrictions = check_sender_access static:{{PREPEND {proven}}}
recipient_delimiter =
minimal_backoff_time = 300s
"""
