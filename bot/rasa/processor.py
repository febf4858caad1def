"""Running one turn so that a failure is a failure.

Rasa's own processor catches what an action raises, logs it and goes on as if nothing had happened. A user would
get no answer, or half of one, and the desk would believe that all was said.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, Dict, List, NoReturn, Optional

import aiohttp
from rasa.core.actions.action import Action
from rasa.core.channels.channel import OutputChannel
from rasa.core.nlg import NaturalLanguageGenerator
from rasa.core.policies.policy import PolicyPrediction
from rasa.core.processor import MessageProcessor
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecutionRejected, Event
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import EndpointConfig

from bot.rasa.repeat import is_repeated, take_back

ACTION_SECONDS = 3.0
"""How long one call to the action server may take; Rasa's own limit is five minutes."""
KEPT_OPEN_SECONDS = 2.0
"""How long a connection to the action server is kept for the next call; less than the server keeps it."""
EVENTS_KEPT = 150
"""A conversation of more events (about 20 turns) is folded: a new session that keeps the slots."""


class TurnFailed(Exception):
    """The turn did not run to its end; nothing of it was saved. The message names the action."""


class BoundedEndpoint(EndpointConfig):
    """The action server: a limit on how long a call may take, and connections that stay open for the next one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._session: Optional[aiohttp.ClientSession] = None

    def session(self) -> AbstractAsyncContextManager[aiohttp.ClientSession]:
        """The one session of this process, for a caller who believes that it opens and closes one of its own."""
        if self._session is None or self._session.closed:
            connector = aiohttp.TCPConnector(keepalive_timeout=KEPT_OPEN_SECONDS)
            self._session = aiohttp.ClientSession(headers=self.headers, connector=connector)
        return nullcontext(self._session)

    async def request(self, *args: Any, **kwargs: Any) -> Optional[Any]:
        kwargs["timeout"] = aiohttp.ClientTimeout(total=ACTION_SECONDS)
        return await super().request(*args, **kwargs)


class StrictProcessor(MessageProcessor):
    """Raises TurnFailed where Rasa's processor goes on after a failed, rejected or endless action.

    A message that was answered before is answered as if for the first time, see bot/rasa/repeat.py.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, on_circuit_break=_endless, **kwargs)

    async def _run_action(
        self,
        action: Action,
        tracker: DialogueStateTracker,
        output_channel: OutputChannel,
        nlg: NaturalLanguageGenerator,
        prediction: PolicyPrediction,
    ) -> bool:
        watched = _Watched(action)
        goes_on = await super()._run_action(watched, tracker, output_channel, nlg, prediction)
        if watched.failed:
            raise TurnFailed(f"{action.name()} did not run to its end")
        return goes_on

    async def _update_tracker_session(
        self,
        tracker: DialogueStateTracker,
        output_channel: OutputChannel,
        metadata: Optional[Dict[str, Any]] = None,
    ) -> None:
        # Before the session is looked at: a new one would keep the slots that the first answer set.
        if is_repeated(tracker, metadata):
            take_back(tracker, self.domain)
        await super()._update_tracker_session(tracker, output_channel, metadata)

    def _has_session_expired(self, tracker: DialogueStateTracker) -> bool:
        return len(tracker.events) > EVENTS_KEPT or super()._has_session_expired(tracker)


class _Watched(Action):
    """An action that remembers whether it failed, for the caller catches what it raises."""

    def __init__(self, action: Action) -> None:
        self._action = action
        self.failed = True

    def name(self) -> str:
        return self._action.name()

    async def run(
        self,
        output_channel: OutputChannel,
        nlg: NaturalLanguageGenerator,
        tracker: DialogueStateTracker,
        domain: Domain,
    ) -> List[Event]:
        events = await self._action.run(output_channel, nlg, tracker, domain)
        self.failed = any(isinstance(event, ActionExecutionRejected) for event in events)
        return events

    def event_for_successful_execution(self, prediction: PolicyPrediction) -> Event:
        return self._action.event_for_successful_execution(prediction)


def _endless(*_: Any) -> NoReturn:
    raise TurnFailed("the policies predicted one action after another without end")
