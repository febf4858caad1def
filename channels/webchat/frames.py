"""The frames of the chat protocol, version 1 (docs/chat-protocol.md)."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from channels.contract import Entry
from channels.live_contract import Announced

VERSION = 1
Language = Literal["en", "zh", "zh-Hant"]
ClientId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
"""Made by the client, unique within the session; a repeated message carries the same one."""
UploadId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
MAX_SEQ = 2**31 - 1
ButtonName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(:[a-z][a-z0-9_]*)?$", max_length=80)]


class BadFrame(Exception):
    """The frame is not of the protocol. `client_id` is its id, if it has a usable one."""

    def __init__(self, client_id: str | None = None) -> None:
        super().__init__("bad frame")
        self.client_id = client_id


class _Frame(BaseModel):
    """Unknown fields are ignored, so that a newer client can talk to an older desk."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class Hello(_Frame):
    type: Literal["hello"]
    version: int
    session: str = Field(max_length=64)
    secret: str = Field(max_length=64)
    after: int = Field(default=0, ge=0, le=MAX_SEQ)
    language: Language | None = None
    live: bool = False
    """The client understands `state` and `typing`."""
    news: bool = False
    """The client understands `news`."""
    token: str | None = Field(default=None, max_length=8192)


class Message(_Frame):
    type: Literal["message"]
    id: ClientId
    text: str = ""
    files: list[UploadId] = Field(default_factory=list, max_length=100)
    """Complete uploads of this session, in the order in which they are shown."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if "text" not in self.model_fields_set and not self.files:
            raise ValueError("a message has a text, files, or both")
        return self


class Press(_Frame):
    type: Literal["press"]
    id: ClientId
    button: ButtonName


class Token(_Frame):
    """The app signed the user in anew, or out (null)."""

    type: Literal["token"]
    token: str | None = Field(max_length=8192)


class SpeakLanguage(_Frame):
    type: Literal["language"]
    language: Language


class Typing(_Frame):
    """The user is typing at this moment."""

    type: Literal["typing"]


class Seen(_Frame):
    """The user has had everything up to `seq` on the screen."""

    type: Literal["seen"]
    seq: int = Field(ge=1, le=MAX_SEQ)


class Ping(_Frame):
    type: Literal["ping"]


ClientFrame = Hello | Message | Press | Token | SpeakLanguage | Typing | Seen | Ping
_FRAME: TypeAdapter[ClientFrame] = TypeAdapter(Annotated[ClientFrame, Field(discriminator="type")])
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_CLIENT_ID: TypeAdapter[str] = TypeAdapter(ClientId)


def parse(raw: bytes) -> ClientFrame:
    """Raises BadFrame."""
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise BadFrame from error
    try:
        return _FRAME.validate_python(_without_lone_surrogates(content))
    except ValidationError as error:
        raise BadFrame(_usable_id(content)) from error


def _without_lone_surrogates(content: Any) -> Any:
    """Half an emoji, as a cut JavaScript string has it, is legal JSON (RFC 8259 section 8.2) but no text."""
    if not isinstance(content, dict):
        return content
    return {key: _LONE_SURROGATE.sub("\ufffd", v) if isinstance(v, str) else v for key, v in content.items()}


def _usable_id(content: Any) -> str | None:
    try:
        return _CLIENT_ID.validate_python(content.get("id"), strict=True) if isinstance(content, dict) else None
    except ValidationError:
        return None


def dump(frame: dict[str, Any]) -> str:
    """Fields without a value are left out."""
    present = {key: value for key, value in frame.items() if value is not None}
    return json.dumps(present, ensure_ascii=False, separators=(",", ":"))


def entry_fields(entry: Entry) -> dict[str, Any]:
    """An entry as it stands on the wire."""
    fields = {
        "seq": entry.seq,
        "author": entry.author.value,
        "name": entry.author_name,
        "text": entry.text,
        "at": entry.at.isoformat(timespec="milliseconds"),
        "buttons": [{"name": name, "title": title} for name, title in entry.buttons],
        "client_id": entry.client_id,
        "files": [{"id": file.id, "name": file.name, "size": file.size} for file in entry.files] or None,
    }
    return {key: value for key, value in fields.items() if value is not None}


def news_fields(announced: Announced) -> dict[str, Any]:
    """The notices beside a conversation as they stand on the wire."""
    items = [
        {"id": one.id, "title": one.title, "text": one.text, "at": one.at.isoformat(timespec="milliseconds")}
        for one in announced.items
    ]
    return {"type": "news", "subscribed": announced.subscribed, "items": items}
