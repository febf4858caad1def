"""What is an action of the action server told, and has its answer the form that Rasa needs?

Rasa's own way costs a third of a turn: it sends the whole conversation and the domain, of which no action of ours reads
anything, and proves its JSON schema anew with every answer.
"""

from __future__ import annotations

from typing import Any, Dict

import rasa
from rasa.core.actions.action import RemoteAction
from rasa.shared.core.domain import Domain
from rasa.shared.core.trackers import DialogueStateTracker, EventVerbosity
from rasa.shared.exceptions import RasaException


class AnswerWithoutForm(RasaException):
    """The action server's answer cannot be used; the message says what is wrong with it."""


def call_cheaply() -> None:
    """Takes the place of Rasa's own way, for every action that is called over HTTP."""
    RemoteAction._action_call_format = _told
    RemoteAction._validate_action_result = _valid


def _told(action: RemoteAction, tracker: DialogueStateTracker, _domain: Domain) -> Dict[str, Any]:
    """Slots and the latest message. The SDK refuses a call that has no domain at all."""
    state = {**tracker.current_state(EventVerbosity.NONE), "events": []}
    about = {"next_action": action.name(), "sender_id": tracker.sender_id, "version": rasa.__version__}
    return {**about, "tracker": state, "domain": {}}


def _valid(_action: RemoteAction, answer: Any) -> bool:
    """Raises AnswerWithoutForm."""
    if not isinstance(answer, dict):
        raise AnswerWithoutForm("the action server's answer is not a JSON object")
    for part in ("events", "responses"):
        told = answer.get(part, [])
        if not isinstance(told, list) or not all(isinstance(each, dict) for each in told):
            raise AnswerWithoutForm(f"{part!r} of the action server's answer is not a list of objects")
    if not all(isinstance(event.get("event"), str) for event in answer.get("events", [])):
        raise AnswerWithoutForm("an event of the action server's answer has no name")
    return True
