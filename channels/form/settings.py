"""The settings of the form: the section `form` of the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from channels.live_contract import UploadLimits

MEGABYTE = 1024 * 1024


class FormSettings(BaseModel):
    """Every setting has a default with which the form works on one machine."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_characters: int = Field(default=20_000, ge=100, le=20_000)
    """Longest description, in Unicode code points."""
    max_file_bytes: int = Field(default=20 * MEGABYTE, ge=1, le=1024 * MEGABYTE)
    """Largest file."""
    max_files: int = Field(default=10, ge=1, le=100)
    """Of one form."""
    max_waiting_bytes_in_all: int = Field(default=2048 * MEGABYTE, ge=1)
    """What has come of the files of all forms that are not sent yet."""
    max_bytes_per_day: int = Field(default=512 * MEGABYTE, ge=1)
    """Files of one form within 24 hours."""
    min_free_disk_bytes: int = Field(default=1024 * MEGABYTE, ge=0)
    """Below this much free disk no file is taken: complaints and their database need it more. 0: files may fill it."""
    files_per_minute: int = Field(default=30, ge=1)
    """Uploads that one form may begin."""
    forms_per_minute: int = Field(default=10, ge=1)
    """From one address (IPv6: one /64)."""
    proxies: tuple[str, ...] = ()
    """Addresses of our own proxies. From them, and from nobody else, X-Forwarded-For is believed."""
    max_posts_at_once: int = Field(default=8, ge=1)
    """Forms whose files come with them (without scripts) and are being taken in at the same time."""
    number_seconds: float = Field(default=4, ge=0)
    """How long the answer to a stored form waits for its case number."""

    @property
    def upload_limits(self) -> UploadLimits:
        waiting = 2 * self.max_files
        return UploadLimits(
            file_bytes=self.max_file_bytes,
            waiting_files=waiting,
            waiting_bytes=waiting * self.max_file_bytes,
            waiting_bytes_in_all=self.max_waiting_bytes_in_all,
            bytes_per_day=self.max_bytes_per_day,
            free_disk_bytes=self.min_free_disk_bytes,
        )

    @property
    def max_post_bytes(self) -> int:
        """Room for all files and every field."""
        return self.max_files * self.max_file_bytes + MEGABYTE

    @property
    def figures(self) -> Mapping[str, object]:
        """What the sentences about limits say."""
        return {
            "limit": f"{self.max_characters:,}",
            "files": self.max_files,
            "megabytes": f"{self.max_file_bytes / MEGABYTE:g}",
        }

    @field_validator("proxies")
    @classmethod
    def _addresses(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in proxies:
            try:
                ip_address(proxy)
            except ValueError:
                raise ValueError(f"{proxy!r} is not an IP address; write it like 10.0.0.7") from None
        return proxies


def read_settings(section: Mapping[str, Any]) -> FormSettings:
    """Raises ValueError, one sentence per mistake."""
    try:
        return FormSettings.model_validate(dict(section))
    except ValidationError as error:
        faults = [f"channel.form.{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise ValueError("; ".join(faults)) from error
