"""Is there room for a file that comes ahead of its message? What has come counts, not what strangers announce."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from bot.repository import uploads as rows
from channels.faults import NotStored
from channels.live_contract import UploadFault, UploadLimits, UploadRefused

DAY = timedelta(hours=24)
RESERVE_BYTES = 64 * 1024
"""What a file that waits counts for besides its bytes: its row and its name on the disk are not free either."""


def insist_on_share(
    connection: Connection, channel: str, key: str, size: int, limits: UploadLimits, now: datetime
) -> None:
    """Raises UploadRefused when a conversation would have more than its share with another file of `size` bytes."""
    files, waiting = rows.waiting(connection, channel, key)
    if files >= limits.waiting_files or waiting + size > limits.waiting_bytes:
        raise UploadRefused(UploadFault.TOO_MANY)
    if rows.announced_since(connection, channel, key, now - DAY) + size > limits.bytes_per_day:
        raise UploadRefused(UploadFault.DAILY)


def insist_on_room(connection: Connection, size: int, limits: UploadLimits) -> None:
    """Raises UploadRefused when `size` bytes are more than all conversations together have left."""
    files, received = rows.waiting_in_all(connection)
    if received + files * RESERVE_BYTES + size > limits.waiting_bytes_in_all:
        raise UploadRefused(UploadFault.NO_ROOM)


def insist_on_disk(folder: Path, size: int, limits: UploadLimits) -> None:
    """Raises UploadRefused when `size` bytes would take what the rest of the desk needs: its database most of all."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise NotStored(f"nobody knows how much room the disk has ({error.strerror})") from error
    if free - size < limits.free_disk_bytes:
        raise UploadRefused(UploadFault.NO_ROOM)
