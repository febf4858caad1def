"""Trains and classifies in the Rasa environment: JSON on standard input, JSON on standard output.

Input {"examples": [[text, label]], "texts": [text], "folder": where to save}. Output {"first": [...], "loaded": [...],
"cpu_ms": per short text}, where each item is [label, confidence].
"""

import json
import sys
import time
from pathlib import Path

from bot.understanding.classifier import Classifier, load, train


def main() -> None:
    job = json.load(sys.stdin)
    trained = train([(text, label) for text, label in job["examples"]], encoder="use")
    trained.save(Path(job["folder"]))
    texts = job["texts"]
    first = answers(trained, texts)
    started = time.process_time()
    short = [text for text in texts if len(text) <= 60]
    answers(trained, short)
    cpu_ms = 1000 * (time.process_time() - started) / len(short)
    json.dump({"first": first, "loaded": answers(load(Path(job["folder"])), texts), "cpu_ms": cpu_ms}, sys.stdout)


def answers(classifier: Classifier, texts: list[str]) -> list[tuple[str, float]]:
    found = [classifier.classify(text) for text in texts]
    return [(one.label, one.confidence) for one in found]


if __name__ == "__main__":
    main()
