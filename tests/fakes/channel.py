"""A channel without a network: raw bytes are the text, sent messages are kept in a list. Can be told to fail next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, override

from channels.contract import Capabilities, Channel, Kind, OutboundMessage, ReadMessage, SendReceipt
from channels.files_contract import Attachment


class FakeChannel(Channel):
    """A text "auto: ..." is automatic, "press: yes" a button, "file: ..." has a file, "bomb" breaks the reader."""

    name = "fake"
    capabilities = Capabilities(max_characters=4_000, patience_seconds=5, live=True, buttons=True, repeat_harmless=True)

    def __init__(self, **capabilities: Any) -> None:
        self.capabilities = replace(self.capabilities, **capabilities)
        self.sent: list[OutboundMessage] = []
        self.fail_next: list[Exception] = []

    @override
    async def read(self, raw: bytes, envelope: Mapping[str, Any]) -> ReadMessage:
        text = raw.decode()
        if text == "bomb":
            raise RuntimeError("the reader broke")
        if text.startswith("auto:"):
            return ReadMessage(text=text, kind=Kind.AUTOMATIC)
        if text.startswith("file:"):
            return ReadMessage(text=text, attachments=(Attachment(filename="f", content_type="image/png", data=raw),))
        if text.startswith("press:"):
            return ReadMessage(text=text, payload=text.removeprefix("press:").strip())
        return ReadMessage(text=text)

    @override
    async def send(self, message: OutboundMessage) -> SendReceipt:
        if self.fail_next:
            raise self.fail_next.pop(0)
        self.sent.append(message)
        return SendReceipt(peer_id=f"peer-{message.outbox_id}")

    def texts(self) -> list[str]:
        return [message.text for message in self.sent]
