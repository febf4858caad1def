"""When is a classification sure enough to act on?"""

from __future__ import annotations

from typing import Protocol, Sequence, Tuple

NOT_UNDERSTOOD = "nlu_fallback"
BACKGROUND = "background"


class Ranked(Protocol):
    """What the classifier says: its best label with a confidence of 0 to 1, and all labels with theirs."""

    @property
    def label(self) -> str: ...
    @property
    def confidence(self) -> float: ...
    @property
    def ranking(self) -> Sequence[Tuple[str, float]]: ...
    @property
    def also(self) -> Sequence[str]: ...


def verdict(found: Ranked, threshold: float, ambiguity: float) -> Tuple[str, float]:
    """The intent to act on and its confidence; `nlu_fallback` when nothing was said clearly enough.

    Unclear: nothing but filler, a confidence below `threshold`, or two labels closer than `ambiguity`
    (0.52 and 0.50 are closer than 0.06), unless a sentence of its own names the second: those are two matters.
    """
    if found.label == BACKGROUND or found.confidence < threshold:
        return NOT_UNDERSTOOD, found.confidence
    if len(found.ranking) > 1:
        (_, first), (second, score) = found.ranking[:2]
        if first - score < ambiguity and second not in found.also:
            return NOT_UNDERSTOOD, found.confidence
    return found.label, found.confidence
