"""The settings of the Bluesky channel: the section `bluesky` of the configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from channels.caps_contract import Caps

PUBLIC_SERVICE = "https://bsky.social"
SHARED_DOMAIN = ".bsky.social"
PICTURES = "https://cdn.bsky.app"
_ADDRESS = re.compile(r"https?://[^\s/?#@]+")
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HANDLE = re.compile(rf"@?((?:{_LABEL}\.)+(?![0-9]){_LABEL})")
"""https://atproto.com/specs/handle"""
_APP_PASSWORD = re.compile(r"[a-z0-9]{4}(?:-[a-z0-9]{4}){3}")


class BlueskySettings(BaseModel):
    """Without handle and app password the channel is off."""

    model_config = ConfigDict(extra="forbid")

    handle: str = ""
    """Of our account, such as exchange.bsky.social."""
    app_password: SecretStr = SecretStr("")
    """Made in the account's settings, in the form xxxx-xxxx-xxxx-xxxx. Never the account's own password."""
    service: str = PUBLIC_SERVICE
    """The account's server (PDS)."""
    keywords: list[str] = Field(default_factory=list)
    """Words, phrases or #hashtags; posts with one of them are found, besides those that name our account."""
    own_handles: list[str] = Field(default_factory=list)
    """Other accounts of ours: what they post is no complaint, and they are not replied to."""
    brand_names: list[str] = Field(default_factory=list)
    """What else we are called, besides the exchange's names and our handle: other accounts called so pose as us."""
    replies: bool = True
    """Whether the one fixed sentence may be posted at all."""
    replies_per_hour: int = Field(default=30, ge=1, le=1000)
    poll_seconds: float = Field(default=60, ge=5, le=900)
    """Between two looks at each feed, when nothing is left to fetch."""
    first_hours: int = Field(default=24, ge=0, le=720)
    """How far back the very first look goes."""
    request_seconds: float = Field(default=10, gt=0, le=60)
    """Patience with a silent server."""
    messages_per_minute: int = Field(default=20, ge=1)
    """Of one author; what goes beyond is kept for a person, and the bot is not asked."""
    messages_per_hour: int = Field(default=200, ge=1)
    files_per_hour: int = Field(default=30, ge=1)
    """Of one author; further files are left at Bluesky, and agents see that."""
    file_bytes_per_hour: int = Field(default=200_000_000, ge=1)
    look_again_hours: int = Field(default=48, ge=0, le=720)
    """For so long after a post was stored its edits and its deletion are noticed; 0: not at all."""
    look_again_minutes: int = Field(default=30, ge=5, le=1440)
    """Between two rounds of looking again."""
    media_url: str = PICTURES
    """The server that pictures are fetched from, and the only one."""
    max_media_bytes: int = Field(default=25_000_000, ge=1)
    """A larger picture or film is not fetched."""

    @field_validator("handle")
    @classmethod
    def _like_a_handle(cls, value: str) -> str:
        found = _HANDLE.fullmatch(value)
        if value and not found:
            raise ValueError(f"{value!r} is not a handle such as exchange.bsky.social")
        return found.group(1).casefold() if found else ""

    @field_validator("own_handles")
    @classmethod
    def _handles(cls, values: list[str]) -> list[str]:
        found = [_HANDLE.fullmatch(value) for value in values]
        if not all(found):
            raise ValueError("a handle is a name such as news.exchange.example")
        return [match.group(1).casefold() for match in found if match]

    @field_validator("app_password")
    @classmethod
    def _like_an_app_password(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and not _APP_PASSWORD.fullmatch(value.get_secret_value()):
            raise ValueError("this is not an app password such as abcd-efgh-ijkl-mnop; make one in Bluesky's settings")
        return value

    @field_validator("service", "media_url")
    @classmethod
    def _an_address(cls, value: str) -> str:
        if not _ADDRESS.fullmatch(value.rstrip("/")):
            raise ValueError(f"{value!r} is not an address such as {PUBLIC_SERVICE}")
        return value.rstrip("/")

    @field_validator("keywords")
    @classmethod
    def _plain_words(cls, values: list[str]) -> list[str]:
        if any('"' in value or not value.strip() or not value.isprintable() for value in values):
            raise ValueError('a keyword is a word or a phrase without the character "')
        return [value.strip() for value in values]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.handle) != bool(self.app_password.get_secret_value()):
            missing = "app_password" if self.handle else "handle"
            raise ValueError(f"handle and app_password belong together: {missing} is not set")
        return self

    @property
    def caps(self) -> Caps:
        return Caps(
            messages_per_minute=self.messages_per_minute,
            messages_per_hour=self.messages_per_hour,
            files_per_hour=self.files_per_hour,
            file_bytes_per_hour=self.file_bytes_per_hour,
        )

    @property
    def name(self) -> str:
        """What our handle calls us: without the part that many share, or that only says what kind of domain it is."""
        shared = self.handle.removesuffix(SHARED_DOMAIN)
        return shared if shared != self.handle else self.handle.rpartition(".")[0]

    def is_own(self, handle: str) -> bool:
        return bool(handle) and handle.casefold() in (self.handle, *self.own_handles)


def query(keyword: str) -> str:
    """A phrase is one; a hashtag is asked for as it is."""
    return keyword if keyword.startswith("#") else f'"{keyword}"'


def check(section: Mapping[str, Any], public_url: str) -> BlueskySettings:
    """Raises ValueError with one sentence that names every wrong setting."""
    try:
        settings = BlueskySettings(**section)
    except ValidationError as error:
        raise ValueError("channel bluesky: " + "; ".join(_sentence(e) for e in error.errors())) from None
    public = settings.service.startswith("https://")
    if settings.handle and settings.replies and public and not public_url.startswith("https://"):
        raise ValueError(
            "channel bluesky: replies lead to the chat page, so they need a public_url that begins with https://; "
            "without one set replies = false"
        )
    return settings


def _sentence(error: Any) -> str:
    name = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"there is no setting {name!r} (there are {', '.join(BlueskySettings.model_fields)})"
    reason = str(error["msg"]).removeprefix("Value error, ")
    return f"{name}: {reason}" if name else reason
