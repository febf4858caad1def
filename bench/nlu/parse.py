"""How much processor time does a short message take, from text to class?"""

from __future__ import annotations

import re
import time
from statistics import mean, median, quantiles

from bench.nlu.datasets import Missing
from bench.nlu.own import MODEL, frozen
from bench.nlu.trial import Outcome, Trial
from bot.understanding.archive import CannotOpen, classifier_of
from bot.understanding.classifier import Classifier

SHORT = 12
ROUNDS = 5
TOKEN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]|[^\W_\u3400-\u9fff\uf900-\ufaff]+|[^\w\s]")
"""A Chinese character, a word or number in other letters, a sign of punctuation."""


def parse(trial: Trial) -> Outcome:
    """Milliseconds of this process on one thread: the median of five rounds over all short messages."""
    texts = [message.text for message in frozen() if tokens(message.text) <= SHORT]
    classifier = _shipped()
    trial.say(f"classifying {len(texts)} messages of at most {SHORT} tokens")
    _round(classifier, texts[:10])
    rounds = [_round(classifier, texts) for _ in range(1 if trial.quick else ROUNDS)]
    slowest = median(quantiles(each, n=100)[-1] for each in rounds)
    note = f"parse: {len(texts)} messages, the slowest of a hundred {slowest:.1f} CPU-ms"
    return Outcome({"parse": median(mean(each) for each in rounds)}, (note,))


def tokens(text: str) -> int:
    return len(TOKEN.findall(text))


def _round(classifier: Classifier, texts: list[str]) -> list[float]:
    took = []
    for text in texts:
        began = time.process_time()
        classifier.classify(text)
        took.append((time.process_time() - began) * 1000)
    return took


def _shipped() -> Classifier:
    """Raises Missing."""
    try:
        return classifier_of(MODEL)
    except CannotOpen as error:
        raise Missing(str(error)) from error
