"""The settings of the Telegram channel: the section `telegram` of the configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from channels.caps_contract import Caps

CHANNEL = "telegram"
PUBLIC_API = "https://api.telegram.org"
WEBHOOK_PATH = "/telegram/webhook"
MAX_DOWNLOAD_BYTES = 20_000_000
"""What getFile gives out at most (Bot API, "getFile")."""
_TOKEN = re.compile(r"[0-9]{1,19}:[A-Za-z0-9_-]{10,100}")
_SECRET = re.compile(r"[A-Za-z0-9_-]{16,256}")
"""The alphabet and the upper end are setWebhook's; a shorter one could be guessed."""


class TelegramSettings(BaseModel):
    """Without a token the channel is off."""

    model_config = ConfigDict(extra="forbid")

    token: SecretStr = SecretStr("")
    """Of the bot, as @BotFather gives it."""
    mode: Literal["polling", "webhook"] = "polling"
    """How updates come: we fetch them, or Telegram posts them to `public_url` + `WEBHOOK_PATH`."""
    webhook_secret: SecretStr = SecretStr("")
    """What Telegram shows with every update that it posts."""
    api_url: str = PUBLIC_API
    """Of the Bot API; another one for a Bot API server of your own."""
    poll_seconds: int = Field(default=30, ge=1, le=50)
    """How long a request for updates waits for the next one."""
    request_seconds: float = Field(default=15, gt=0)
    """Patience with every other request, and with a silent download."""
    max_file_bytes: int = Field(default=MAX_DOWNLOAD_BYTES, ge=1)
    """A larger file is not fetched; its sender is asked for another way."""
    button_days: int = Field(default=7, ge=1, le=365)
    """For so long an offered button may be pressed."""
    messages_per_minute: int = Field(default=20, ge=1)
    """Of one chat; what goes beyond is kept for a person, and the bot is not asked."""
    messages_per_hour: int = Field(default=200, ge=1)
    files_per_hour: int = Field(default=30, ge=1)
    """Of one chat; further files are left at Telegram, and agents see that."""
    file_bytes_per_hour: int = Field(default=200_000_000, ge=1)

    @field_validator("token")
    @classmethod
    def _like_a_token(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and not _TOKEN.fullmatch(value.get_secret_value()):
            raise ValueError("this is not a bot's token such as 123456789:AAH4…, as @BotFather gives it")
        return value

    @field_validator("api_url")
    @classmethod
    def _an_address(cls, value: str) -> str:
        if not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", value):
            raise ValueError(f"{value!r} is not an address such as {PUBLIC_API}")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _webhook_is_whole(self) -> Self:
        if self.mode == "webhook" and not _SECRET.fullmatch(self.webhook_secret.get_secret_value()):
            raise ValueError(
                "mode webhook needs webhook_secret, 16 to 256 of the characters A-Z, a-z, 0-9, _ and -: "
                "without it anybody could post made-up messages"
            )
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
    def bot_id(self) -> int:
        """The number before the colon of a token is the bot's user id; 0 when the channel is off."""
        return int(self.token.get_secret_value().partition(":")[0] or 0)


def check(section: Mapping[str, Any], public_url: str) -> TelegramSettings:
    """Raises ValueError with one sentence that names every wrong setting."""
    try:
        settings = TelegramSettings(**section)
    except ValidationError as error:
        raise ValueError("channel telegram: " + "; ".join(_sentence(e) for e in error.errors())) from None
    public_api = settings.api_url == PUBLIC_API
    if settings.bot_id and settings.mode == "webhook" and public_api and not public_url.startswith("https://"):
        raise ValueError(
            "channel telegram: mode webhook needs a public_url that begins with https://, because Telegram posts to no "
            "other; without one use mode polling"
        )
    return settings


def _sentence(error: Any) -> str:
    name = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"there is no setting {name!r} (there are {', '.join(TelegramSettings.model_fields)})"
    reason = str(error["msg"]).removeprefix("Value error, ")
    return f"{name}: {reason}" if name else reason
