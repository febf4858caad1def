"""When is a message for a case, whatever its class and whatever was learned?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import pytest

from bot.understanding.classifier import Classification, Classifier
from bot.understanding.judge import ALWAYS, LEARNED, Judge
from bot.understanding.signals import Signals


@dataclass
class Learned:
    """A classifier that finds what it is told to, and has learned that a text needs a case or that it does not."""

    ranking: tuple[tuple[str, float], ...]
    needs_case: bool = False

    def classify(self, text: str) -> Classification:
        label, confidence = self.ranking[0]
        return Classification(label, confidence, self.ranking, whole=text)

    def escalates(self, _found: Classification, _signals: Signals, _language: str | None) -> bool:
        return self.needs_case


def judge(label: str, *, needs_case: bool = False) -> Judge:
    return Judge(cast(Classifier, Learned(((label, 0.8), ("fees_limits", 0.1)), needs_case)))


def test_what_was_learned_is_a_reason_of_its_own() -> None:
    judged = judge("deposit_issue", needs_case=True).judge("where is the button for it")
    assert (judged.label, judged.escalate, judged.reasons) == ("deposit_issue", True, (LEARNED,))
    assert not judge("deposit_issue").judge("where is the button for it").escalate


@pytest.mark.parametrize(
    "text", ["I was hacked and all my coins were stolen", "我的账号被盗了，币全没了", "my lawyer will sue you"]
)
@pytest.mark.parametrize("label", ["deposit_issue", "spam", "out_of_scope", "person", "background"])
def test_theft_and_law_reach_a_person_whatever_the_classifier_thinks(text: str, label: str) -> None:
    judged = judge(label).judge(text)
    assert judged.escalate
    assert ALWAYS.intersection(judged.reasons)


@pytest.mark.parametrize("label", ["spam", "greet", "background", "not_a_complaint"])
def test_what_is_no_matter_of_ours_needs_no_case(label: str) -> None:
    assert not judge(label, needs_case=True).judge("the third time, and still nobody has told me anything").escalate


@pytest.mark.parametrize("text", ["I want to kill myself", "我不想活了"])
def test_somebody_in_danger_is_never_left_to_a_machine(text: str) -> None:
    judged = judge("out_of_scope").judge(text)
    assert judged.escalate
    assert judged.severity == "critical"


def test_a_greeting_with_a_matter_behind_it_has_the_matters_class() -> None:
    judged = judge("greet").judge("hello")
    assert (judged.label, judged.confidence) == ("fees_limits", 0.1)
    alone = Judge(cast(Classifier, Learned((("greet", 0.9),)))).judge("hello")
    assert (alone.label, alone.confidence) == ("out_of_scope", 0.0)
