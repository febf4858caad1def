"""How much one person may send before the desk only keeps it: what a channel says of itself, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Caps:
    """Of one conversation. What goes beyond is stored like everything else, and a person sees it; but the bot is not
    asked about it, nothing of it is answered, and no file of it is fetched."""

    messages_per_minute: int
    messages_per_hour: int
    files_per_hour: int = 0
    """Files that `Channel.read` fetches from the peer; 0: it fetches none."""
    file_bytes_per_hour: int = 0
    """When so much was fetched, no more is: the last file may go beyond, for its size is known only afterwards."""
