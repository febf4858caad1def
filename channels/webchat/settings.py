"""What an operator can set for live chat, in the configuration section `channel.webchat`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from channels.live_contract import UploadLimits
from channels.web.origins import as_origin

MEGABYTE = 1024 * 1024


class WebChatSettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    origins: tuple[str, ...] = ()
    """Further sites that may embed the chat, as "https://app.example". The exchange's own sites (the setting
    `site_origins`) and the desk's own address are allowed anyway."""
    max_characters: int = Field(default=4000, ge=1, le=4000)
    """Longest message, in Unicode code points."""
    max_frame_bytes: int = Field(default=65536, ge=1024, le=65536)
    """Longest WebSocket frame. Every frame of an accepted message fits into an inbox row."""
    messages_per_minute: int = Field(default=30, ge=1)
    """Messages and pressed buttons of one session, over all its connections."""
    max_file_bytes: int = Field(default=20 * MEGABYTE, ge=1, le=1024 * MEGABYTE)
    """Largest file."""
    max_files_per_message: int = Field(default=10, ge=1, le=100)
    max_waiting_files: int = Field(default=20, ge=1)
    """Files of one session that no message names yet."""
    max_waiting_bytes: int = Field(default=200 * MEGABYTE, ge=1)
    """Their announced sizes together."""
    max_waiting_bytes_in_all: int = Field(default=2048 * MEGABYTE, ge=1)
    """What has come of the files of all sessions: what strangers can fill of the disk without writing a message."""
    max_bytes_per_day: int = Field(default=512 * MEGABYTE, ge=1)
    """Files that one session may send within 24 hours, with or without a message."""
    min_free_disk_bytes: int = Field(default=1024 * MEGABYTE, ge=0)
    """Below this much free disk no file is taken: messages and their database need it more. 0: files may fill it."""
    files_per_minute: int = Field(default=30, ge=1)
    """Uploads that one session may begin."""
    typing_per_minute: int = Field(default=40, ge=1)
    """How often a connection may say that its user is typing; what goes beyond is not passed on."""
    token_hours: int = Field(default=24, ge=1)
    """A token of the app that runs for longer than this is not accepted."""
    frames_per_minute: int = Field(default=300, ge=1)
    """Frames of any kind on one connection; who sends more is disconnected."""
    idle_seconds: float = Field(default=300, gt=0)
    """A connection from which nothing came for this long is closed. Clients ping."""
    hello_seconds: float = Field(default=10, gt=0)
    """The first frame must come within this time."""
    save_seconds: float = Field(default=8, gt=0)
    """After this long without a commit the user hears that the message is not saved yet."""
    send_seconds: float = Field(default=20, gt=0)
    """A client that does not take a frame within this time is disconnected."""
    max_connections: int = Field(default=5000, ge=1)
    max_connections_per_session: int = Field(default=10, ge=1)

    @property
    def upload_limits(self) -> UploadLimits:
        return UploadLimits(
            file_bytes=self.max_file_bytes,
            waiting_files=self.max_waiting_files,
            waiting_bytes=self.max_waiting_bytes,
            waiting_bytes_in_all=self.max_waiting_bytes_in_all,
            bytes_per_day=self.max_bytes_per_day,
            free_disk_bytes=self.min_free_disk_bytes,
        )

    @property
    def figures(self) -> Mapping[str, object]:
        """What the sentences about limits say."""
        return {
            "limit": self.max_characters,
            "files": self.max_files_per_message,
            "megabytes": f"{self.max_file_bytes / MEGABYTE:g}",
        }

    @field_validator("origins")
    @classmethod
    def _normal(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(as_origin(origin) for origin in origins)


def read_settings(section: Mapping[str, Any]) -> WebChatSettings:
    """Raises ValueError, one sentence per mistake."""
    try:
        return WebChatSettings.model_validate(dict(section))
    except ValidationError as error:
        faults = [f"channel.webchat.{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise ValueError("; ".join(faults)) from error
