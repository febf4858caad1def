"""What do the published data sets hold? Each split as (text, label) pairs, read from where the user has put them."""

from __future__ import annotations

import csv
import json
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Pairs = list[tuple[str, str]]

SHOTS = 10
"""Sentences of each intent in the small training sets."""
ZH_PER_INTENT = 5
"""Chinese sentences of each of the 20 intents that have some."""


class Missing(Exception):
    """A data set is not where it should be; the message says which and where it was looked for."""


def banking(data: Path, split: str) -> Pairs:
    """BANKING77: 77 intents of a bank's customers, in English. Splits: train, test."""
    text = _read(data / "benchmarks" / "banking77" / f"{split}.csv", "BANKING77")
    return [(row["text"], row["category"]) for row in csv.DictReader(text.splitlines(keepends=True))]


def few(pairs: Pairs, seed: int) -> Pairs:
    """Ten sentences of each label, drawn by that seed."""
    draw = random.Random(seed)  # noqa: S311
    texts: dict[str, list[str]] = defaultdict(list)
    for text, label in pairs:
        texts[label].append(text)
    return [(text, label) for label in sorted(texts) for text in draw.sample(texts[label], SHOTS)]


def clinc(data: Path) -> Mapping[str, Pairs]:
    """CLINC150, full. Splits: train, val, test, and the same three of what is out of scope: oos_train, ..."""
    body = json.loads(_read(data / "benchmarks" / "clinc150" / "data_full.json", "CLINC150"))
    return {split: [(text, label) for text, label in rows] for split, rows in body.items()}


def hwu(data: Path, split: str) -> Pairs:
    """HWU64: 64 intents of a home assistant. Splits: train, valid, test."""
    folder = data / "benchmarks" / "hwu64" / split
    texts, labels = (_read(folder / name, "HWU64").splitlines() for name in ("seq.in", "label"))
    return _zipped(texts, labels)


def smp(data: Path) -> Mapping[str, Pairs]:
    """SMP2017-ECDT: 31 domains, in Chinese. Splits: train, develop, test."""
    body: Mapping[str, Any] = json.loads(_read(data / "benchmarks" / "smp2017" / "smp2017.json", "SMP2017"))
    return {split: _zipped(texts, labels) for split, (texts, labels) in body.items()}


def zh_banking(data: Path) -> Pairs:
    """Chinese sentences, five on each of 20 intents of BANKING77, in the order of the file."""
    lines = _read(data / "benchmarks" / "zh_banking100.tsv", "zh_banking100").splitlines()
    rows = [line.split("\t") for line in lines if line]
    return [(text, label) for label, text, _gloss in rows]


def zh_fold(pairs: Pairs, fold: int) -> tuple[Pairs, Pairs]:
    """Of each intent four sentences to learn from, and the one of that fold (0 to 4) to be asked."""
    seen: dict[str, int] = defaultdict(int)
    learn: Pairs = []
    ask: Pairs = []
    for text, label in pairs:
        (ask if seen[label] % ZH_PER_INTENT == fold else learn).append((text, label))
        seen[label] += 1
    return learn, ask


def _zipped(texts: Sequence[str], labels: Sequence[str]) -> Pairs:
    if len(texts) != len(labels):
        raise Missing(f"a data set is damaged: it has {len(texts)} texts and {len(labels)} labels")
    return list(zip(texts, labels, strict=True))


def _read(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        raise Missing(f"{name} is not there: {'/'.join(path.parts[-3:])} is looked for below --data") from None
