"""The settings of the Facebook channel: the section `facebook` of the configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from channels.caps_contract import Caps
from channels.monitor.files import origins_of

PUBLIC_API = "https://graph.facebook.com"
WEBHOOK_PATH = "/facebook/webhook"
CREDENTIALS = ("page_id", "page_token", "app_secret", "verify_token")
FILE_ORIGINS = ("https://*.fbcdn.net", "https://*.fbsbx.com")
"""Where Facebook keeps what people send."""
_ID = re.compile(r"[0-9]{1,32}")
_WORD = re.compile(r"[\x21-\x7e]{16,512}")


class FacebookSettings(BaseModel):
    """Without its four credentials the channel is off."""

    model_config = ConfigDict(extra="forbid")

    page_id: str = ""
    """The number of our page."""
    page_token: SecretStr = SecretStr("")
    """Of the page (not of a person), from the developer portal; a system user's does not run out."""
    app_secret: SecretStr = SecretStr("")
    """Of our app: signs what Facebook posts to us, and proves our own calls."""
    verify_token: SecretStr = SecretStr("")
    """A word of our own choice, which Facebook shows when the webhook is set up."""
    own_ids: list[str] = Field(default_factory=list)
    """Numbers of other pages and accounts of ours: what they write is no complaint, and they are not replied to."""
    replies: bool = True
    """Whether the one fixed sentence may be written below comments at all."""
    replies_per_hour: int = Field(default=30, ge=1, le=1000)
    human_agent: bool = False
    """Whether Facebook has granted our app the tag HUMAN_AGENT: then a person may answer for seven days, not one."""
    poll_seconds: float = Field(default=300, ge=5, le=3600)
    """Between two looks for what no webhook brought."""
    first_hours: int = Field(default=24, ge=0, le=720)
    """How far back the very first look goes."""
    request_seconds: float = Field(default=10, gt=0, le=60)
    """Patience with a silent server."""
    max_file_bytes: int = Field(default=25_000_000, ge=1)
    """What Messenger lets people send (Messenger Platform, "Sending attachments"); a larger file is not fetched."""
    file_origins: list[str] = Field(default_factory=lambda: list(FILE_ORIGINS))
    """The only places files are fetched from; "*." stands for every host below."""
    button_days: int = Field(default=7, ge=1, le=365)
    """For so long an offered button may be pressed."""
    messages_per_minute: int = Field(default=20, ge=1)
    """Of one person; what goes beyond is kept for a person of ours, and the bot is not asked. Comments count apart."""
    messages_per_hour: int = Field(default=200, ge=1)
    files_per_hour: int = Field(default=30, ge=1)
    """Of one person; further files are left at Facebook, and agents see that."""
    file_bytes_per_hour: int = Field(default=200_000_000, ge=1)
    api_url: str = PUBLIC_API
    api_version: str = Field(default="v25.0", pattern=r"^v[0-9]{1,3}\.[0-9]$")

    @field_validator("page_id")
    @classmethod
    def _a_number(cls, value: str) -> str:
        if value and not _ID.fullmatch(value):
            raise ValueError('the id of a page is its number in quotes, such as "104300000000000"')
        return value

    @field_validator("own_ids")
    @classmethod
    def _numbers(cls, values: list[str]) -> list[str]:
        if not all(_ID.fullmatch(value) for value in values):
            raise ValueError("an id is a number in quotes")
        return values

    @field_validator("app_secret", "verify_token", "page_token")
    @classmethod
    def _not_to_be_guessed(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and not _WORD.fullmatch(value.get_secret_value()):
            raise ValueError("this has 16 to 512 characters without spaces: a shorter one could be guessed")
        return value

    @field_validator("file_origins")
    @classmethod
    def _origins(cls, values: list[str]) -> list[str]:
        return origins_of(values)

    @field_validator("api_url")
    @classmethod
    def _an_address(cls, value: str) -> str:
        if not re.fullmatch(r"https?://[^\s/?#]+", value.rstrip("/")):
            raise ValueError(f"{value!r} is not an address such as {PUBLIC_API}")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        given = [name for name in CREDENTIALS if _plain(getattr(self, name))]
        if given and len(given) < len(CREDENTIALS):
            missing = ", ".join(name for name in CREDENTIALS if name not in given)
            raise ValueError(f"{', '.join(CREDENTIALS)} belong together: {missing} is not set")
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
    def on(self) -> bool:
        return bool(self.page_id)


def check(section: Mapping[str, Any], public_url: str) -> FacebookSettings:
    """Raises ValueError with one sentence that names every wrong setting."""
    try:
        settings = FacebookSettings(**section)
    except ValidationError as error:
        raise ValueError("channel facebook: " + "; ".join(_sentence(e) for e in error.errors())) from None
    public_api = settings.api_url == PUBLIC_API
    if settings.on and public_api and not public_url.startswith("https://"):
        raise ValueError(
            "channel facebook: Facebook posts to an address with https:// only, so it needs a public_url that begins "
            "with it"
        )
    return settings


def _plain(value: str | SecretStr) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _sentence(error: Any) -> str:
    name = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"there is no setting {name!r} (there are {', '.join(FacebookSettings.model_fields)})"
    reason = str(error["msg"]).removeprefix("Value error, ")
    return f"{name}: {reason}" if name else reason
