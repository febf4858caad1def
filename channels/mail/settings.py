"""The settings of the mail channel: the section `mail` of the configuration."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from channels.mail.addresses import MAX_INBOX_LOCAL, is_mailbox

MIB = 1024 * 1024


class MailSettings(BaseModel):
    """Every setting has a default with which the channel works on one machine."""

    model_config = ConfigDict(extra="forbid")

    address: str = "complaints@exchange.example"
    """The complaint inbox: what users write to and what answers come from."""

    bulk_address: str = ""
    """What notices to subscribers come from, so that a complaint about them does not harm the inbox; empty: the inbox.
    Answers to them go to the inbox."""

    relay_host: str = ""
    """The server that takes our answers. Empty: they are put into the Maildir `maildrop/` of the data folder."""
    relay_port: int = Field(default=587, ge=1, le=65535)
    relay_starttls: bool = True
    relay_user: str = ""
    relay_password: SecretStr = SecretStr("")
    relay_seconds: float = Field(default=30, gt=0)
    """Patience with each step of a conversation with the relay."""

    tls_certificate: Path | None = None
    """PEM file of the certificate and its chain, for STARTTLS on the listener; without it and the key none is offered.
    Renewed files are taken without a restart."""
    tls_key: Path | None = None
    require_tls: bool = False
    """Whether mail is taken over encrypted lines only. Servers without TLS cannot write to the inbox then."""

    imap_host: str = ""
    """A mailbox to fetch mails from as well, for those who cannot receive SMTP. Empty: none."""
    imap_port: int = Field(default=993, ge=1, le=65535)
    imap_tls: Literal["implicit", "starttls", "off"] = "implicit"
    imap_user: str = ""
    imap_password: SecretStr = SecretStr("")
    imap_folder: str = "INBOX"
    imap_seconds: float = Field(default=30, gt=0)
    """Between two looks into the mailbox."""

    authentication: Literal["auto", "verify", "trust", "off"] = "auto"
    """Who finds out whether senders are who they say (SPF, DKIM, DMARC): we, or a mail server of our own that writes
    Authentication-Results. "auto": we, unless the listener can be reached from this machine only. "off": nobody, and
    so no mail joins a conversation by itself."""
    resolver: str = ""
    """Address and port of the DNS server to ask, for example "127.0.0.1:53"; empty: as this machine is set up."""
    trusted_authserv_id: str = ""
    """The name by which that server signs its results (RFC 8601 section 2.5)."""
    automatic_per_address: int = Field(default=5, ge=0)
    """Answers that no person wrote, to one address within 24 hours. 0: no cap."""
    automatic_per_hour: int = Field(default=500, ge=0)
    """The same to all addresses together, within an hour. 0: no cap."""

    mails_per_client: int = Field(default=1000, ge=0)
    """Mails taken from one address on the internet within an hour (an IPv6 network /64 counts as one). 0: no cap."""
    mails_per_sender: int = Field(default=100, ge=0)
    """The same of one envelope sender at one client, servers of our own network included. 0: no cap."""
    max_message_bytes: int = Field(default=25 * MIB, ge=64 * 1024)
    max_lines: int = Field(default=400_000, ge=1000)
    """25 MiB of base64 in lines of 76 characters are 344,000 lines."""
    max_bytes_in_hand: int = Field(default=256 * MIB, ge=64 * 1024)
    """What all sessions together may hold of messages that are still arriving."""
    max_recipients: int = Field(default=50, ge=1)
    max_sessions: int = Field(default=200, ge=1)
    max_sessions_per_address: int = Field(default=20, ge=1)
    session_seconds: float = Field(default=600, gt=0)
    parse_seconds: float = Field(default=10, gt=0)
    """Wall clock and CPU that reading one message may take."""
    parse_memory_bytes: int = Field(default=512 * MIB, ge=128 * MIB)

    @field_validator("address")
    @classmethod
    def _plain_address(cls, value: str) -> str:
        if not value.isascii() or not is_mailbox(value):
            raise ValueError(f"{value!r} is not a mail address such as complaints@exchange.example")
        local = value.rpartition("@")[0]
        if len(local) > MAX_INBOX_LOCAL or "+" in local:
            raise ValueError(
                f"the part before the @ of {value!r} must have at most {MAX_INBOX_LOCAL} characters and no '+', "
                "because reply addresses are made by adding to it"
            )
        return value.lower()

    @field_validator("bulk_address")
    @classmethod
    def _plain_bulk_address(cls, value: str) -> str:
        if value and not (value.isascii() and is_mailbox(value)):
            raise ValueError(f"{value!r} is not a mail address such as notices@exchange.example")
        return value.lower()

    @field_validator("resolver")
    @classmethod
    def _address_and_port(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if value and not (_is_ip(host) and port.isdecimal() and 0 < int(port) < 65536):
            raise ValueError(f"{value!r} is not an IP address and a port such as 127.0.0.1:53")
        return value

    @model_validator(mode="after")
    def _log_in_is_whole(self) -> Self:
        if bool(self.relay_user) != bool(self.relay_password.get_secret_value()):
            raise ValueError("relay_user and relay_password belong together: set both or neither")
        return self

    @model_validator(mode="after")
    def _mailbox_is_whole(self) -> Self:
        if self.imap_host and not (self.imap_user and self.imap_password.get_secret_value()):
            raise ValueError("imap_host needs imap_user and imap_password")
        return self

    @model_validator(mode="after")
    def _certificate_has_a_key(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key belong together: set both or neither")
        if self.require_tls and self.tls_certificate is None:
            raise ValueError("require_tls needs tls_certificate and tls_key")
        return self

    @model_validator(mode="after")
    def _trusted_server_has_a_name(self) -> Self:
        if (self.authentication == "trust") != bool(self.trusted_authserv_id):
            raise ValueError('trusted_authserv_id belongs to authentication = "trust", which needs it')
        return self

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


def check(section: Mapping[str, Any]) -> MailSettings:
    """Raises ValueError with one sentence that names every wrong setting."""
    try:
        return MailSettings(**section)
    except ValidationError as error:
        raise ValueError("channel mail: " + "; ".join(_sentence(e) for e in error.errors())) from None


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _sentence(error: Any) -> str:
    name = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"there is no setting {name!r} (there are {', '.join(MailSettings.model_fields)})"
    reason = str(error["msg"]).removeprefix("Value error, ")
    return f"{name}: {reason}" if name else reason
