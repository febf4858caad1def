"""The actions of domain.yml as rasa-sdk runs them: read the turn, look up what is needed, decide, answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from rasa_sdk import Action, Tracker  # type: ignore[import-untyped]
from rasa_sdk.events import SlotSet  # type: ignore[import-untyped]
from rasa_sdk.executor import CollectingDispatcher  # type: ignore[import-untyped]

from actions.backoffice.contract import BackOffice
from actions.decide import STEPS, Decision, decide, wanted_look_up
from actions.lookup import look_up
from actions.turn import Turn, read_turn

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


class DeskAction(Action):  # type: ignore[misc]  # rasa-sdk carries no types
    """One action, known to Rasa by `name`. Answers with commands only, never with words, and writes nothing."""

    def __init__(self, name: str, backoffice: BackOffice, clock: Clock = utc_now) -> None:
        self._name = name
        self._backoffice = backoffice
        self._clock = clock

    def name(self) -> str:
        return self._name

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        decision = await self._decide(read_turn(tracker.latest_message, tracker.slots))
        for command in decision.commands:
            dispatcher.utter_message(json_message=command.to_json())
        return [
            SlotSet("awaiting", decision.awaiting),
            SlotSet("matter", decision.matter),
            SlotSet("misunderstood", decision.misunderstood),
        ]

    async def _decide(self, turn: Turn) -> Decision:
        wanted = wanted_look_up(self._name, turn)
        if wanted is None:
            return decide(self._name, turn)
        return decide(self._name, turn, await look_up(self._backoffice, wanted, turn, self._clock()))


def all_actions(backoffice: BackOffice) -> list[DeskAction]:
    """Every action of domain.yml."""
    return [DeskAction(name, backoffice) for name in STEPS]
