"""How is a classifier kept on disk? Arrays and JSON, never a pickle."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from bot.understanding.classifier import Classifier, State
from bot.understanding.encoder import Vectors
from bot.understanding.escalation import Escalation
from bot.understanding.ngrams import NGrams
from bot.understanding.reader import Reader, Space
from bot.understanding.tuned import Tuned

FORMAT: Final = 3
_ARRAYS: Final = "classifier.npz"
_FACTS: Final = "classifier.json"
_READERS: Final = ("quick", "thorough")
_PARTS: Final = ("dense", "sparse", "bias", "starts")
_NEIGHBOURS: Final = "neighbours"
"""Half precision is enough on disk; in memory it would be converted with every text."""


class BrokenModel(ValueError):
    """The saved classifier cannot be read; train again."""


def save(classifier: Classifier, folder: Path) -> None:
    """Writes the state into `folder`, which is made if missing."""
    folder.mkdir(parents=True, exist_ok=True)
    state = classifier.state
    readers = {name: reader for name in _READERS if (reader := getattr(state, name)) is not None}
    facts: dict[str, Any] = {
        "format": FORMAT,
        "labels": state.labels,
        "sure": state.sure,
        "vocabulary": state.ngrams.vocabulary,
        "spaces": [{"encoder": space.encoder, "languages": sorted(space.means)} for space in state.spaces],
        "temperatures": {name: reader.temperature for name, reader in readers.items()},
    }
    if state.escalation is not None:
        facts["escalation"] = {"bias": state.escalation.bias, "thresholds": dict(state.escalation.thresholds)}
    arrays: dict[str, Any] = {"idf": state.ngrams.idf}
    for number, space in enumerate(state.spaces):
        arrays[f"means{number}"] = np.stack([space.means[language] for language in sorted(space.means)])
    for name, reader in readers.items():
        arrays |= {f"{name}_{part}": getattr(reader, part) for part in _PARTS}
        arrays[f"{name}_{_NEIGHBOURS}"] = reader.neighbours.astype(np.float16)
    if state.escalation is not None:
        arrays |= {"escalation_dense": state.escalation.dense, "escalation_sparse": state.escalation.sparse}
    if state.tuned is not None:
        facts["tuned"] = state.tuned.labels
        arrays |= {f"tuned_{name}": array for name, array in state.tuned.arrays.items()}
    (folder / _FACTS).write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")
    np.savez(folder / _ARRAYS, **arrays)


def load(folder: Path) -> Classifier:
    """Reads what `save` wrote. Raises BrokenModel, naming the file, when that cannot be read."""
    try:
        facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
        if facts["format"] != FORMAT:
            raise ValueError(f"its format is {facts['format']}, this version reads {FORMAT}")
        with (folder / _ARRAYS).open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return Classifier(_state(facts, {name: stored[name] for name in stored.files}))
    except (OSError, KeyError, IndexError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise BrokenModel(f"the classifier in {folder} cannot be read: {error}; train it again") from error


def _state(facts: Mapping[str, Any], arrays: Mapping[str, Vectors]) -> State:
    spaces = tuple(
        Space(str(space["encoder"]), dict(zip(space["languages"], arrays[f"means{number}"], strict=True)))
        for number, space in enumerate(facts["spaces"])
    )
    readers = {name: _reader(name, float(t), arrays) for name, t in facts["temperatures"].items()}
    return State(
        labels=tuple(facts["labels"]),
        ngrams=NGrams(facts["vocabulary"], arrays["idf"]),
        spaces=spaces,
        quick=readers["quick"],
        thorough=readers.get("thorough"),
        sure=float(facts["sure"]),
        escalation=_escalation(facts["escalation"], arrays) if "escalation" in facts else None,
        tuned=_tuned(facts["tuned"], arrays) if "tuned" in facts else None,
    )


def _tuned(labels: list[str], arrays: Mapping[str, Any]) -> Tuned:
    prefix = "tuned_"
    return Tuned(labels, {name[len(prefix) :]: array for name, array in arrays.items() if name.startswith(prefix)})


def _escalation(facts: Mapping[str, Any], arrays: Mapping[str, Vectors]) -> Escalation:
    thresholds = {str(language): float(least) for language, least in facts["thresholds"].items()}
    return Escalation(arrays["escalation_dense"], arrays["escalation_sparse"], float(facts["bias"]), thresholds)


def _reader(name: str, temperature: float, arrays: Mapping[str, Any]) -> Reader:
    neighbours = np.asarray(arrays[f"{name}_{_NEIGHBOURS}"], dtype=np.float32)
    parts = {part: arrays[f"{name}_{part}"] for part in _PARTS}
    return Reader(**parts, temperature=temperature, neighbours=neighbours)
