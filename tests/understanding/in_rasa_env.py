"""Trains on a small corpus in the Rasa environment, where it is done in earnest: SciPy is there alone.

    python in_rasa_env.py FOLDER < texts as a JSON list

Saves what it trained in FOLDER and prints, as JSON, what that says of the texts, and how the training went.
"""

import json
import sys
from pathlib import Path

from bot.understanding import reader, remembered
from bot.understanding.classifier import Classifier
from bot.understanding.language import language_of
from bot.understanding.model_files import save
from bot.understanding.signals import signals_of
from bot.understanding.training import train
from tests.understanding.letters import corpus, encoders


def main() -> None:
    folder, texts = Path(sys.argv[1]), json.load(sys.stdin)
    made = encoders()
    for module in (reader, remembered):
        module.encoder_named = made.__getitem__  # type: ignore[attr-defined]
    examples = [(text, label) for text, label, _ in corpus()]
    needed = [grave for _, _, grave in corpus()]
    trained = train(examples, tuple(made), needed, folder / "memory")
    encoded = [len(each.asked) for each in made.values()]  # type: ignore[attr-defined]
    save(trained, folder / "first")
    save(train(examples, tuple(made), needed, folder / "memory"), folder / "again")
    encoded_again = [len(each.asked) for each in made.values()]  # type: ignore[attr-defined]
    said = [answer(trained, text) for text in texts]
    json.dump({"said": said, "encoded": encoded, "encoded_again": encoded_again, "one_label": one_label()}, sys.stdout)


def answer(classifier: Classifier, text: str) -> tuple[str, float, bool]:
    found, language = classifier.classify(text), language_of(text)
    return found.label, found.confidence, classifier.escalates(found, signals_of(text, language), language)


def one_label() -> str:
    """What is said of a corpus from which nothing can be learned."""
    try:
        train([("a", "deposit_issue"), ("aa", "deposit_issue")], ("apples",))
    except ValueError as error:
        return str(error)
    return ""


if __name__ == "__main__":
    main()
