"""The settings of the X channel: the section `twitter` of the configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from channels.caps_contract import Caps
from channels.monitor.files import origins_of

PUBLIC_API = "https://api.twitter.com"
"""What OAuth 1.0a signs, whatever server `api_url` names."""
WEBHOOK_PATH = "/twitter/webhook"
MAX_QUERY_CHARACTERS = 512
"""Of a recent search (X API v2, "search/recent", lowest access level)."""
LONGEST_FIRST_HOURS = 167
"""A recent search reaches back seven days."""
MEDIA_ORIGINS = ("https://pbs.twimg.com", "https://video.twimg.com")
"""Where X keeps pictures and films."""
CREDENTIALS = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
_USERNAME = re.compile(r"@?([A-Za-z0-9_]{1,15})")
_WORD = re.compile(r"[\x21-\x7e]{1,1000}")
_ACCESS_TOKEN = re.compile(r"([0-9]{1,19})-[A-Za-z0-9]{10,100}")


class XSettings(BaseModel):
    """Without the four credentials the channel is off."""

    model_config = ConfigDict(extra="forbid")

    consumer_key: SecretStr = SecretStr("")
    consumer_secret: SecretStr = SecretStr("")
    access_token: SecretStr = SecretStr("")
    access_token_secret: SecretStr = SecretStr("")
    """Four words of the developer portal (OAuth 1.0a, RFC 5849): of our app, and of our account in it."""
    keywords: list[str] = Field(default_factory=list)
    """Words or phrases; posts with one of them are found, besides those that name our account."""
    own_usernames: list[str] = Field(default_factory=list)
    """Other accounts of ours: what they post is no complaint, and they are not replied to."""
    brand_names: list[str] = Field(default_factory=list)
    """What else we are called, besides the exchange's names and our account's: other accounts called so pose as us."""
    replies: bool = True
    """Whether the one fixed sentence may be posted at all."""
    replies_per_hour: int = Field(default=30, ge=1, le=1000)
    poll_seconds: float = Field(default=90, ge=5, le=900)
    """Between two looks at each feed, when nothing is left to fetch."""
    webhook: bool = False
    """Whether X posts to `WEBHOOK_PATH` what happens around our account (account activity), signed with
    `consumer_secret`."""
    bearer_token: SecretStr = SecretStr("")
    """Of our app: with it the filtered stream is read, which brings what the search finds, as it is posted."""
    stream_silence_seconds: float = Field(default=21, gt=0, le=300)
    """For so long the stream may be silent; X sends a sign of life every 20 seconds."""
    backfill_seconds: float = Field(default=600, ge=5, le=3600)
    """Between two looks at a feed whose posts are also brought to us."""
    first_hours: int = Field(default=24, ge=0, le=LONGEST_FIRST_HOURS)
    """How far back the very first look goes."""
    request_seconds: float = Field(default=10, gt=0, le=60)
    """Patience with a silent server."""
    messages_per_minute: int = Field(default=20, ge=1)
    """Of one author; what goes beyond is kept for a person, and the bot is not asked."""
    messages_per_hour: int = Field(default=200, ge=1)
    files_per_hour: int = Field(default=30, ge=1)
    """Of one author; further files are left at X, and agents see that."""
    file_bytes_per_hour: int = Field(default=200_000_000, ge=1)
    look_again_hours: int = Field(default=48, ge=0, le=720)
    """For so long after a post was stored its edits and its deletion are noticed; 0: not at all."""
    look_again_minutes: int = Field(default=30, ge=5, le=1440)
    """Between two rounds of looking again."""
    media_origins: list[str] = Field(default_factory=lambda: list(MEDIA_ORIGINS))
    """The only places that pictures and films are fetched from; "*." stands for every host below."""
    max_media_bytes: int = Field(default=25_000_000, ge=1)
    """A larger picture or film is not fetched."""
    api_url: str = PUBLIC_API

    @field_validator("access_token")
    @classmethod
    def _like_a_token(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and not _ACCESS_TOKEN.fullmatch(value.get_secret_value()):
            raise ValueError("this is not an access token such as 1234567-AbC…, which begins with the account's number")
        return value

    @field_validator("bearer_token")
    @classmethod
    def _one_word(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and not _WORD.fullmatch(value.get_secret_value()):
            raise ValueError("this is not a bearer token, which has up to 1,000 characters without spaces")
        return value

    @field_validator("own_usernames")
    @classmethod
    def _usernames(cls, values: list[str]) -> list[str]:
        found = [_USERNAME.fullmatch(value) for value in values]
        if not all(found):
            raise ValueError("a user name has 1 to 15 of A-Z, a-z, 0-9 and _")
        return [match.group(1).casefold() for match in found if match]

    @field_validator("keywords")
    @classmethod
    def _plain_words(cls, values: list[str]) -> list[str]:
        if any('"' in value or not value.strip() or not value.isprintable() for value in values):
            raise ValueError('a keyword is a word or a phrase without the character "')
        return [value.strip() for value in values]

    @field_validator("media_origins")
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
        given = [name for name in CREDENTIALS if getattr(self, name).get_secret_value()]
        if given and len(given) < len(CREDENTIALS):
            missing = ", ".join(name for name in CREDENTIALS if name not in given)
            raise ValueError(f"{', '.join(CREDENTIALS)} belong together: {missing} is not set")
        if not given and (self.webhook or self.streamed):
            raise ValueError(f"webhook and bearer_token need to know our app and account: set {', '.join(CREDENTIALS)}")
        if len(query("a" * 15, self.keywords)) > MAX_QUERY_CHARACTERS:
            raise ValueError(f"keywords: together they make a search of more than {MAX_QUERY_CHARACTERS} characters")
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
    def streamed(self) -> bool:
        return bool(self.bearer_token.get_secret_value())

    @property
    def account_id(self) -> str:
        """An access token begins with the number of its account; "" when the channel is off."""
        return self.access_token.get_secret_value().partition("-")[0]

    def is_own(self, author_id: str, username: str) -> bool:
        return author_id == self.account_id or username.casefold() in self.own_usernames


def query(username: str, keywords: list[str]) -> str:
    """The recent search. It asks for mentions, too: the list of mentions ends after 800 posts, a search does not.

    A repost says nothing new and is left out. What we ourselves posted is, too: it would only use up the quota.
    """
    wanted = " OR ".join([f"@{username}", *(f'"{word}"' for word in keywords)])
    return f"({wanted}) -is:retweet -from:{username}"


def check(section: Mapping[str, Any], public_url: str) -> XSettings:
    """Raises ValueError with one sentence that names every wrong setting."""
    try:
        settings = XSettings(**section)
    except ValidationError as error:
        raise ValueError("channel twitter: " + "; ".join(_sentence(e) for e in error.errors())) from None
    if settings.account_id and settings.api_url == PUBLIC_API:
        _check_address(settings, public_url)
    return settings


def _check_address(settings: XSettings, public_url: str) -> None:
    """Raises ValueError."""
    secure = public_url.startswith("https://")
    if settings.replies and not secure:
        raise ValueError(
            "channel twitter: replies lead to the chat page, so they need a public_url that begins with https://; "
            "without one set replies = false"
        )
    if settings.webhook and (not secure or re.search(r":[0-9]+$", urlsplit(public_url).netloc)):
        raise ValueError(
            "channel twitter: X posts to an address with https:// and without a port only, so the webhook needs such "
            "a public_url; without one set webhook = false"
        )


def _sentence(error: Any) -> str:
    name = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"there is no setting {name!r} (there are {', '.join(XSettings.model_fields)})"
    reason = str(error["msg"]).removeprefix("Value error, ")
    return f"{name}: {reason}" if name else reason
