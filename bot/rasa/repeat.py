"""Is this a message that was answered before, and how is that answer taken back?

The desk asks again when it could not keep an answer: it was killed, its disk was full, its lease was lost, or the
answer came too late. Rasa had kept its side by then, the question that "no" answers was no longer open, and the second
answer would be another one. So that a complaint is not lost in between, the same message gives the same commands.
"""

from __future__ import annotations

from typing import Any, Mapping, Optional

from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, UserUtteranceReverted
from rasa.shared.core.trackers import DialogueStateTracker


def is_repeated(tracker: DialogueStateTracker, metadata: Optional[Mapping[str, Any]]) -> bool:
    """Whether the newest message that the tracker knows has the same `inbox_id`."""
    known = tracker.latest_message.metadata if tracker.latest_message else None
    asked = (metadata or {}).get("inbox_id")
    return asked is not None and (known or {}).get("inbox_id") == asked


def take_back(tracker: DialogueStateTracker, domain: Domain) -> None:
    """Puts the tracker, slots included, where it was before its newest message.

    By events, not by cutting: the tracker store saves only what is new at the end.
    """
    tracker.update(UserUtteranceReverted(), domain)
    # Rasa also takes back the waiting that came before the message, and the policies expect it.
    tracker.update(ActionExecuted(ACTION_LISTEN_NAME), domain)
