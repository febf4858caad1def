"""Rasa's rules, applied to the end of a conversation only.

Each of our rules speaks of one message and the action that follows. Rasa featurizes the whole conversation before every
action to find the rule, so that a turn takes longer the longer the conversation is.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from rasa.core.policies.rule_policy import RulePolicy
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain, State
from rasa.shared.core.events import ActionExecuted, Event
from rasa.shared.core.trackers import DialogueStateTracker

TURNS = 3
"""How many of the latest turns are looked at; a rule reaches no further back than the message before."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT, is_trainable=True)
class RecentRulePolicy(RulePolicy):
    """Finds the same rule as `RulePolicy` as long as no rule is longer than `TURNS` turns."""

    def _prediction_states(
        self,
        tracker: DialogueStateTracker,
        domain: Domain,
        use_text_for_last_user_input: bool = False,
        rule_only_data: Optional[Dict[str, Any]] = None,
    ) -> List[State]:
        recent = DialogueStateTracker.from_events(
            tracker.sender_id, latest(tracker.applied_events()), list(tracker.slots.values())
        )
        return super()._prediction_states(recent, domain, use_text_for_last_user_input, rule_only_data)


def latest(events: List[Event]) -> List[Event]:
    """The events of the latest turns; each turn begins with the listening before it."""
    listened = [
        number
        for number, event in enumerate(events)
        if isinstance(event, ActionExecuted) and event.action_name == ACTION_LISTEN_NAME
    ]
    return events[listened[-TURNS] :] if len(listened) > TURNS else events
