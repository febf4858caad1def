"""What the bot remembers of a conversation between two messages: the slots of domain.yml as one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

HELPED = "helped"
OPEN_CASE = "open_case"
FACT = "fact"
"""What a question of the bot can be about: did it help, shall there be a case, or a fact of the form (`asked`)."""

UNCLASSIFIED = "unclassified"
SKIPPED = ""
"""The value of a fact that the user cannot give: held, so that it is not asked again, and shown to nobody."""
MATTERS_KEPT = 6


@dataclass(frozen=True, kw_only=True)
class Memory:
    """The slots. All values are JSON, for Rasa keeps them in its tracker; a restart forgets nothing."""

    awaiting: str | None = None
    asked: str | None = None
    """The fact that the last question asked for, while `awaiting` is FACT."""
    tries: int = 0
    """How often that fact has been asked for in vain."""
    matter: str | None = None
    """The class of the matter under way."""
    misunderstood: int = 0
    """How many messages in a row led nowhere."""
    facts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By class: the facts gathered, newest matter last."""
    later: tuple[str, ...] = ()
    """Classes of further complaints of the same message, still to be taken up."""
    features: tuple[str, ...] = ()
    days: float = 0.0
    """What the messages of this matter have said so far, for the rules of escalation (`rules_met`)."""
    tried: tuple[str, ...] = ()
    """What the bot answered with: "article:fees", "records:deposit_confirming"."""
    began: int | None = None
    """The inbox id of the message that brought the matter up."""
    unhanded: tuple[str, ...] = ()
    """Why the case of this conversation was opened or added to, while no person has heard of it."""
    epoch: int | None = None
    """How often the conversation had changed hands when the bot last spoke."""

    @classmethod
    def read(cls, slots: Mapping[str, Any]) -> Memory:
        """The memory in Rasa's slots; an empty one means nothing remembered."""
        given: dict[str, Any] = {f.name: slots[f.name] for f in fields(cls) if slots.get(f.name) is not None}
        given |= {name: int(given[name]) for name in _WHOLE if name in given}
        given |= {name: tuple(map(str, given[name])) for name in _SEVERAL if name in given}
        return cls(**given)

    def changes(self, before: Memory) -> dict[str, Any]:
        """The slots that differ from `before`, as JSON."""
        now = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != getattr(before, f.name)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in now.items()}

    def held(self, label: str | None) -> Mapping[str, str]:
        """The facts of a matter, and those named before anybody knew what it was about."""
        return {**self.facts.get(UNCLASSIFIED, {}), **self.facts.get(label or UNCLASSIFIED, {})}

    def with_facts(self, label: str | None, news: Mapping[str, str]) -> Memory:
        """Remembers facts of a matter; of many matters the oldest is forgotten."""
        if not news:
            return self
        label = label or UNCLASSIFIED
        others = {name: facts for name, facts in self.facts.items() if name != label}
        kept = dict(list(others.items())[-(MATTERS_KEPT - 1) :])
        return replace(self, facts={**kept, label: {**self.facts.get(label, {}), **news}})

    def settled(self) -> Memory:
        """Nothing is asked any more."""
        return replace(self, awaiting=None, asked=None, tries=0, misunderstood=0)

    def asking(self, awaiting: str, asked: str | None = None, tries: int = 0) -> Memory:
        return replace(self, awaiting=awaiting, asked=asked, tries=tries, misunderstood=0)

    def closed(self) -> Memory:
        """The matter is over: what comes next is judged by itself. A case that no person knows of is not forgotten."""
        return Memory(epoch=self.epoch, unhanded=self.unhanded)

    def without_risks(self) -> Memory:
        """What was said is known, but nobody is handed over for it again."""
        return replace(self, features=(), days=0.0, unhanded=(), later=())


_WHOLE = ("tries", "misunderstood", "began", "epoch")
_SEVERAL = ("later", "features", "tried", "unhanded")
