"""The settings of the phone desk: the section `phone_desk` of the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from channels.live_contract import UploadLimits

MEGABYTE = 1024 * 1024


class PhoneDeskSettings(BaseModel):
    """Every setting has a default with which the phone desk works on one machine."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    door: str = Field(default="", max_length=200)
    """The number that people call, or the address that they write to, as it is to be shown; "" when there is none."""
    max_file_bytes: int = Field(default=200 * MEGABYTE, ge=1, le=1024 * MEGABYTE)
    """Largest recording or scan."""
    max_files: int = Field(default=10, ge=1, le=50)
    """Of one call or letter."""
    max_waiting_bytes_in_all: int = Field(default=4096 * MEGABYTE, ge=1)
    """What has come of files whose call is not saved yet."""
    min_free_disk_bytes: int = Field(default=1024 * MEGABYTE, ge=0)
    """Below this much free disk no file is taken: complaints and their database need it more. 0: files may fill it."""

    @property
    def upload_limits(self) -> UploadLimits:
        waiting = 2 * self.max_files
        return UploadLimits(
            file_bytes=self.max_file_bytes,
            waiting_files=waiting,
            waiting_bytes=waiting * self.max_file_bytes,
            waiting_bytes_in_all=self.max_waiting_bytes_in_all,
            bytes_per_day=waiting * self.max_file_bytes,
            free_disk_bytes=self.min_free_disk_bytes,
        )


def read_settings(section: Mapping[str, Any]) -> PhoneDeskSettings:
    """Raises ValueError, one sentence per mistake."""
    try:
        return PhoneDeskSettings.model_validate(dict(section))
    except ValidationError as error:
        faults = [f"channel.phone_desk.{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise ValueError("; ".join(faults)) from error
