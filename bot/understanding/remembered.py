"""Vectors of training texts, kept beside the models: each text is encoded once, on all cores."""

from __future__ import annotations

import hashlib
import os
import sys
import zipfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np

from bot.understanding.encoder import Vectors, encoder_named

ONE_PROCESS: Final = 500
"""Texts up to which a second process would take longer to begin than it saves."""

_BATCH: Final = 64


def vectors_of(texts: Sequence[str], encoder: str, memory: Path | None = None) -> Vectors:
    """The raw vector of each text. What `memory`, a folder, holds from earlier trainings is not encoded again."""
    if memory is None:
        return encoder_named(encoder).encode(texts)
    path = memory / f"{encoder}.npz"
    known = _recall(path)
    keys = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32] for text in texts]
    fresh = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    if fresh:
        # In the precision in which they are kept: the next training must learn from the same numbers.
        rows = _encode(list(fresh.values()), encoder).astype(np.float16).astype(np.float32)
        known |= dict(zip(fresh, rows, strict=True))
        _keep(path, {key: known[key] for key in dict.fromkeys(keys)})
    return np.stack([known[key] for key in keys])


def _encode(texts: Sequence[str], encoder: str) -> Vectors:
    """Texts of like length go together: a batch takes as long as its longest."""
    order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
    batches = [[texts[number] for number in order[start : start + _BATCH]] for start in range(0, len(order), _BATCH)]
    rows = np.vstack(_in_turn(batches, encoder) if len(texts) <= ONE_PROCESS else _side_by_side(batches, encoder))
    return rows[np.argsort(order)]


def _in_turn(batches: Sequence[list[str]], encoder: str) -> list[Vectors]:
    return [_batch(encoder, batch) for batch in batches]


def _side_by_side(batches: Sequence[list[str]], encoder: str) -> list[Vectors]:
    done: list[Vectors] = []
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        for number, rows in enumerate(pool.map(_batch, [encoder] * len(batches), batches), 1):
            done.append(rows)
            if number % 25 == 0 or number == len(batches):
                print(
                    f"  {encoder}: {number * 100 // len(batches)} % of the texts encoded", file=sys.stderr, flush=True
                )
    return done


def _batch(encoder: str, texts: list[str]) -> Vectors:
    return encoder_named(encoder).encode(texts)


def _recall(path: Path) -> dict[str, Vectors]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return dict(zip(stored["keys"].tolist(), stored["vectors"].astype(np.float32), strict=True))
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
        return {}  # none yet, or cut short: encoded anew


def _keep(path: Path, known: dict[str, Vectors]) -> None:
    """Only what this training used: sentences that left the data leave the memory, too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{os.getpid()}.{path.name}")
    np.savez(partial, keys=np.array(list(known)), vectors=np.stack(list(known.values())).astype(np.float16))
    partial.replace(path)
