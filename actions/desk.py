"""The actions of domain.yml as rasa-sdk runs them: read the turn, look up what is needed, decide, answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from rasa_sdk import Action, Tracker  # type: ignore[import-untyped]
from rasa_sdk.events import SlotSet  # type: ignore[import-untyped]
from rasa_sdk.executor import CollectingDispatcher  # type: ignore[import-untyped]

from actions.backoffice.contract import BackOffice
from actions.decide import STEPS, about_incidents, decide, known_entities, wanted_look_up
from actions.decision import Decision
from actions.incidents import RunningIncidents
from actions.lookup import Finding, look_up
from actions.turn import Turn, read_turn

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


class DeskAction(Action):  # type: ignore[misc]  # rasa-sdk carries no types
    """One action, known to Rasa by `name`. Answers with commands only, never with words, and writes nothing."""

    def __init__(self, name: str, backoffice: BackOffice, incidents: RunningIncidents, clock: Clock = utc_now) -> None:
        self._name = name
        self._backoffice = backoffice
        self._incidents = incidents
        self._clock = clock

    def name(self) -> str:
        return self._name

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        turn = read_turn(tracker.latest_message, tracker.slots)
        decision = await self._decide(turn)
        for command in decision.commands:
            dispatcher.utter_message(json_message=command.to_json())
        return [SlotSet(name, value) for name, value in decision.memory.changes(turn.memory).items()]

    async def _decide(self, turn: Turn) -> Decision:
        entities, found = known_entities(turn), None
        wanted = wanted_look_up(self._name, turn)
        if wanted is not None and turn.uid is not None:
            found = await look_up(self._backoffice, wanted, turn.uid, entities, self._clock())
        if about_incidents(self._name, turn):
            of_record = found.entities if isinstance(found, Finding) else {}
            title = await self._incidents.title_for({**entities, **of_record}, turn.language)
            turn = replace(turn, incident=title)
        return decide(self._name, turn, found)


def all_actions(backoffice: BackOffice) -> list[DeskAction]:
    """Every action of domain.yml."""
    incidents = RunningIncidents(backoffice, utc_now)
    return [DeskAction(name, backoffice, incidents) for name in STEPS]
