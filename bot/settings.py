"""The settings of one instance: environment variables `REDRESS_*` over one TOML file over defaults.

An unknown or contradictory setting stops the start with a sentence that names it.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, Self, override
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from escalation.broadcast.policy import known_zone

PREFIX = "REDRESS_"


class SettingsError(Exception):
    """The configuration is wrong; the message names the setting and the way out."""


class PromiseSettings(BaseModel):
    """What is promised to users, in words that the templates say. Deadlines are configuration, never code."""

    model_config = ConfigDict(extra="forbid")

    first_answer_hours: int = Field(default=24, ge=1)
    """A person reads a new case within this many hours."""
    decision_days: int = Field(default=15, ge=1)
    """Calendar days from first contact to the decision."""
    same_matter_days: int = Field(default=7, ge=1)
    """Messages no further apart than this belong to one matter; its clocks start with the first of them."""
    queue_patience_seconds: float = Field(default=180, gt=0)
    """After this long in the queue without a person, the user is told so."""
    silence_minutes: int = Field(default=10, ge=1)
    """A question about a case that is left unanswered for so long goes to a person with what is known."""
    unread_reminder_minutes: int = Field(default=15, ge=1)
    """An answer that is unread after this long is announced by e-mail, if the user has left and proved an address."""


class IdentitySettings(BaseModel):
    """Proving who writes, by a code to the registered address."""

    model_config = ConfigDict(extra="forbid")

    code_minutes: int = Field(default=10, ge=1, le=60)
    """A code holds for so long."""
    code_tries: int = Field(default=3, ge=1, le=10)
    """After so many wrong codes a code is worth nothing."""
    codes_per_day: int = Field(default=3, ge=1, le=20)
    """Codes in 24 hours, per conversation and per account."""
    backoffice_seconds: float = Field(default=2, gt=0)
    """How long the exchange may take to say whose account it is; a chat turn has about five in all."""
    proof_hours: int = Field(default=12, ge=1)
    """What was proven by a code holds for so long in its conversation."""


class BindingSettings(BaseModel):
    """Leading somebody from one conversation to another, as the same person."""

    model_config = ConfigDict(extra="forbid")

    link_hours: int = Field(default=24, ge=1, le=168)
    """A link to the live chat holds for so long."""
    start_minutes: int = Field(default=15, ge=1, le=1440)
    """A link that opens another channel (Telegram) holds for so long."""
    code_minutes: int = Field(default=30, ge=5, le=1440)
    """So long may the author of a public post take to post the code that the chat shows."""


class FilesSettings(BaseModel):
    """Files that people send."""

    model_config = ConfigDict(extra="forbid")

    clamd: str = ""
    """Where the virus scanner listens, "host:port"; empty: nothing is scanned, and agents are told so."""
    scan_seconds: float = Field(default=60, gt=0)
    """How long the scanner may take for one file."""

    @field_validator("clamd")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        host, colon, port = value.rpartition(":")
        if value and not (host and colon and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise ValueError(
                f"{value!r} is no host:port (clamd must listen on TCP: TCPSocket in clamd.conf, for example "
                '"127.0.0.1:3310"); leave it empty to have nothing scanned'
            )
        return value

    @property
    def scanner(self) -> tuple[str, int] | None:
        """Host and port; None when there is no scanner."""
        host, _, port = self.clamd.rpartition(":")
        return (host.strip("[]"), int(port)) if host else None


class BroadcastSettings(BaseModel):
    """Notices to subscribers: when they may come, and how fast."""

    model_config = ConfigDict(extra="forbid")

    time_zone: str = "UTC"
    """Of the exchange (IANA, for example "Asia/Singapore"): for subscribers who named none, and for agents' times."""
    quiet_from: int = Field(default=22, ge=0, le=23)
    """From this full hour of the subscriber's day on ..."""
    quiet_to: int = Field(default=8, ge=0, le=23)
    """... until this one nothing is sent. Equal hours: never quiet."""
    per_minute: int = Field(default=60, ge=1)
    """Messages to one channel within a minute."""

    @field_validator("time_zone")
    @classmethod
    def _known(cls, value: str) -> str:
        if not known_zone(value):
            raise ValueError(f"{value!r} is no time zone; write one such as Asia/Singapore or UTC")
        return value


class WorkSettings(BaseModel):
    """The engine. Defaults fit one machine of two cores."""

    model_config = ConfigDict(extra="forbid")

    turns: int = Field(default=64, ge=1)
    deliveries: int = Field(default=16, ge=1)
    lease_seconds: float = Field(default=15, gt=0)
    scan_seconds: float = Field(default=0.5, gt=0)
    max_attempts: int = Field(default=3, ge=1)
    """A message over which this many turns broke is parked for a person."""
    max_deaths: int = Field(default=10, ge=1)
    """So is one over which this many workers died; more, because most die of something else."""
    rasa_seconds: float = Field(default=5, gt=0)


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid")

    data_dir: Path = Path("var")
    database_url: str = ""
    """Empty: SQLite in the data folder. PostgreSQL: postgresql+psycopg://user@host/name"""
    host: str = "127.0.0.1"
    http_port: int = 8080
    smtp_port: int = 2525
    public_url: str = ""
    """The address under which users reach this desk; empty: http://<host>:<http_port>"""
    rasa_url: str = ""
    """Empty: a Rasa of our own is started and watched."""
    rasa_secret: str = ""
    backoffice_url: str = ""
    """Empty: the demo exchange is started."""
    backoffice_token: str = ""
    app_token_secret: str = ""
    """Verifies the tokens by which the exchange's app names its user (HS256)."""
    site_origins: list[str] = []
    """Origins of the exchange's own sites, which embed the chat, for example "https://www.exchange.example"."""
    admin_password: str = ""
    metrics_token: str = ""
    """Whoever bears it may read /metrics; empty: only somebody on this machine, and only without a public_url."""
    pg_bin: str = ""
    """The folder of pg_dump and pg_restore; empty: they are looked for on PATH."""
    exchange_name: str = "Demo Exchange"
    exchange_name_zh: str = "演示交易所"
    site_port: int = 8090
    """Port of the demo exchange's site, when it is started."""
    channel: dict[str, dict[str, Any]] = {}
    """One section per channel, checked by the channel itself (`channels/<name>/settings.py`)."""
    figures: dict[str, str] = {}
    """The exchange's own figures for the articles; else the demo values (data/knowledge/figures.toml) hold."""
    promise: PromiseSettings = PromiseSettings()
    identity: IdentitySettings = IdentitySettings()
    binding: BindingSettings = BindingSettings()
    files: FilesSettings = FilesSettings()
    broadcast: BroadcastSettings = BroadcastSettings()
    work: WorkSettings = WorkSettings()

    @field_validator("rasa_url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and not (parts.scheme in ("http", "https") and parts.hostname):
            raise ValueError(f"{url!r} is no address of an HTTP server; one looks like http://127.0.0.1:5005")
        return url

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.rasa_url and not self.rasa_secret:
            raise ValueError("rasa_url is set but rasa_secret is not: a Rasa elsewhere needs the shared secret")
        if self.backoffice_url and not self.backoffice_token:
            raise ValueError("backoffice_url is set but backoffice_token is not")
        if self.http_port and self.http_port == self.smtp_port:
            raise ValueError(f"http_port and smtp_port are both {self.http_port}: choose different ones")
        return self

    @property
    def url(self) -> str:
        return self.public_url.rstrip("/") or f"http://{self.host}:{self.http_port}"

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{(self.data_dir / 'redress.db').resolve()}"

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, _file())


def _file() -> Path:
    return Path(os.environ.get(f"{PREFIX}CONFIG", "redress.toml"))


def load() -> Settings:
    """Reads and checks all settings. Raises SettingsError with one sentence per mistake."""
    _refuse_unknown_variables()
    try:
        return Settings()
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg']}" for e in error.errors()]
        raise SettingsError("Redress cannot start with these settings:\n  " + "\n  ".join(lines)) from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"Redress cannot read {_file()}: {error}") from error


def _refuse_unknown_variables() -> None:
    known = {PREFIX + "CONFIG"} | {PREFIX + name.upper() for name in Settings.model_fields}
    for variable in sorted(os.environ):
        if not variable.startswith(PREFIX) or variable in known:
            continue
        section = variable.split("__")[0]
        if "__" in variable and section in known:
            continue
        raise SettingsError(f"Redress does not know the setting {variable}. Unset it, or see redress.example.toml.")
