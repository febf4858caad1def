"""How long invitations hold, and what they are called where agents read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

BY_INVITATION = "invitation"
BY_CODE = "code_brought_back"
"""The kinds of proof."""


@dataclass(frozen=True, kw_only=True)
class Lives:
    chat: timedelta
    """Of a link to the live chat, which may be read hours after it was sent."""
    start: timedelta
    """Of a link that opens another channel, which is followed at once."""
    code: timedelta
    """Of a code that is shown in the chat, to be posted in public."""

    @property
    def code_minutes(self) -> str:
        return str(round(self.code.total_seconds() / 60))
