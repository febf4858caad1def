"""A whole conversation with the pure part of the bot: what is said goes in, what is answered comes out."""

from __future__ import annotations

import json
from typing import Any

from actions.commands import Command, HandToPerson, OpenCase
from actions.decide import decide
from actions.lookup import Finding
from actions.memory import Memory
from tests.actions.short import action_of, heard, names


class Talk:
    """Remembers between the messages what Rasa's slots and the desk would."""

    def __init__(self, language: str = "en", **always: Any) -> None:
        self.memory = Memory()
        self._slots: dict[str, Any] = {}
        self.case_open = False
        self.owner = "bot"
        self.facts: dict[str, str] = {}
        self.commands: tuple[Command, ...] = ()
        self._always = {"language": language, **always}

    def say(self, text: str, intent: str, found: Finding | None = None, **more: Any) -> list[str]:
        """The answer in short; a wait for the user's silence is left out."""
        assert self.owner == "bot", "the bot is silent while a person has the word"
        turn = heard(text, intent, self.memory, **{**self._desk(), **self._always, **more})
        decision = decide(action_of(intent), turn, found)
        self.commands = decision.commands
        self._slots |= json.loads(json.dumps(decision.memory.changes(self.memory)))
        self.memory = Memory.read(self._slots)
        for command in decision.commands:
            match command:
                case OpenCase():
                    self.case_open = True
                    self.facts |= command.facts
                case HandToPerson():
                    self.owner = "queue"
        return names(decision.commands)

    def press(self, button: str) -> list[str]:
        return self.say("", button)

    def _desk(self) -> dict[str, Any]:
        return {"case_open": self.case_open, "case_number": "RD-7KWHM-3XTPA" if self.case_open else None}
