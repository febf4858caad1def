"""The settings of the Mastodon channel: the section `mastodon` of the configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from channels.caps_contract import Caps
from channels.monitor.files import origins_of

_ADDRESS = re.compile(r"https?://[^\s/?#@]+")
_ACCOUNT = re.compile(r"@?([A-Za-z0-9_.-]+)(@[A-Za-z0-9.-]+(?::[0-9]+)?)?")
_HASHTAG = re.compile(r"#?(\w{1,100})")
_TOKEN = re.compile(r"[\x21-\x7e]{10,500}")


class MastodonSettings(BaseModel):
    """Without the server's address and an access token the channel is off."""

    model_config = ConfigDict(extra="forbid")

    base_url: str = ""
    """Of the server where our account is, such as https://mastodon.example."""
    access_token: SecretStr = SecretStr("")
    """Of our account there, with the scopes read:accounts, read:notifications, read:search, read:statuses and
    write:statuses."""
    hashtags: list[str] = Field(default_factory=list)
    """Posts with one of them that the server knows are found, besides those that name our account."""
    keywords: list[str] = Field(default_factory=list)
    """Words or phrases for the server's full-text search, where it has one."""
    own_accounts: list[str] = Field(default_factory=list)
    """Other accounts of ours, as name or name@server: what they post is no complaint, and they are not replied to."""
    brand_names: list[str] = Field(default_factory=list)
    """What else we are called, besides the exchange's names and our account's: other accounts called so pose as us."""
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
    """Of one author; further files are left at the servers, and agents see that."""
    file_bytes_per_hour: int = Field(default=200_000_000, ge=1)
    look_again_hours: int = Field(default=48, ge=0, le=720)
    """For so long after a post was stored its edits and its deletion are noticed; 0: not at all."""
    look_again_minutes: int = Field(default=30, ge=5, le=1440)
    """Between two rounds of looking again."""
    media_origins: list[str] = Field(default_factory=list)
    """Where pictures, sounds and films are fetched from besides our own server and the hosts below it."""
    max_media_bytes: int = Field(default=25_000_000, ge=1)
    """A larger picture or film is not fetched."""

    @field_validator("base_url")
    @classmethod
    def _an_address(cls, value: str) -> str:
        value = value.rstrip("/")
        if value and not _ADDRESS.fullmatch(value):
            raise ValueError(f"{value!r} is not an address such as https://mastodon.example")
        return value

    @field_validator("media_origins")
    @classmethod
    def _origins(cls, values: list[str]) -> list[str]:
        return origins_of(values)

    @field_validator("access_token")
    @classmethod
    def _like_a_token(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and not _TOKEN.fullmatch(value.get_secret_value()):
            raise ValueError("this is not an access token: it has no blanks and at least 10 characters")
        return value

    @field_validator("own_accounts")
    @classmethod
    def _accounts(cls, values: list[str]) -> list[str]:
        if not all(_ACCOUNT.fullmatch(value) for value in values):
            raise ValueError("an account is written name or name@server")
        return [value.removeprefix("@").casefold() for value in values]

    @field_validator("hashtags")
    @classmethod
    def _tags(cls, values: list[str]) -> list[str]:
        found = [_HASHTAG.fullmatch(value) for value in values]
        if not all(found):
            raise ValueError("a hashtag is one word of letters, digits and _")
        return [match.group(1) for match in found if match]

    @field_validator("keywords")
    @classmethod
    def _plain_words(cls, values: list[str]) -> list[str]:
        if any('"' in value or not value.strip() or not value.isprintable() for value in values):
            raise ValueError('a keyword is a word or a phrase without the character "')
        return [value.strip() for value in values]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.base_url) != bool(self.access_token.get_secret_value()):
            missing = "access_token" if self.base_url else "base_url"
            raise ValueError(f"base_url and access_token belong together: {missing} is not set")
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
    def server(self) -> str:
        """The host of our account; "" when the channel is off."""
        return urlsplit(self.base_url).netloc.casefold()

    def is_own(self, account: str) -> bool:
        """Whether this is one of `own_accounts`, written with or without our own server."""
        name, _, server = account.casefold().partition("@")
        names = {f"{name}@{server}"} if server else {name, f"{name}@{self.server}"}
        if server == self.server:
            names.add(name)
        return bool(names & set(self.own_accounts))


def check(section: Mapping[str, Any], public_url: str) -> MastodonSettings:
    """Raises ValueError with one sentence that names every wrong setting."""
    try:
        settings = MastodonSettings(**section)
    except ValidationError as error:
        raise ValueError("channel mastodon: " + "; ".join(_sentence(e) for e in error.errors())) from None
    public = settings.base_url.startswith("https://")
    if settings.replies and public and not public_url.startswith("https://"):
        raise ValueError(
            "channel mastodon: replies lead to the chat page, so they need a public_url that begins with https://; "
            "without one set replies = false"
        )
    return settings


def _sentence(error: Any) -> str:
    name = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"there is no setting {name!r} (there are {', '.join(MastodonSettings.model_fields)})"
    reason = str(error["msg"]).removeprefix("Value error, ")
    return f"{name}: {reason}" if name else reason
