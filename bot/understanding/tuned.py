"""A copy of the sentence encoder that was tuned on complaints, with heads that name their class and their need.

It has seen nothing but data/nlu, so it speaks only of the labels it knows; beside the general readers, which know
meaning from elsewhere, it makes other mistakes, and their mean makes fewer than either (docs/decisions/0019).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.understanding.encoder import UseEncoder, Vectors, encoder_named
from bot.understanding.reader import softmax

TUNED_PARTS: Final = (
    *("proj_W", "proj_b", "ln_g_all", "ln_b_all", "w1", "b1", "w2", "b2", "ln_g", "ln_b"),
    *("cnn_W", "cnn_b", "d0", "d1", "d2", "d3", "p1", "p3"),
)
"""The weights of the encoder that tuning changes; the table of word pieces stays as it is."""

HEAD_SCALE: Final = 8.0
"""The encoder's vectors have length one; a head learns faster on longer ones."""

_HEADS: Final = ("head0", "head0_b", "head1", "head1_b", "need1", "need1_b")
_LISTS: Final = ("w1", "b1", "w2", "b2")


class Heard(NamedTuple):
    """What the tuned reader makes of texts, a row per text.

    `chances` holds the probability of each label, `need` the logit of needing a case and a person.
    """

    chances: Vectors
    need: Vectors


class Tuned:
    """Safe to share between threads. `labels` are those it was tuned on."""

    def __init__(self, labels: Sequence[str], arrays: Mapping[str, NDArray[Any]]) -> None:
        self.labels = tuple(labels)
        self.arrays = dict(arrays)
        self._head = {name: _single(self.arrays[name]) for name in _HEADS}
        self._backend: Any = None

    def read(self, texts: Sequence[str]) -> Heard:
        if self._backend is None:
            self._backend = self._tuned_backend()
        vectors = np.asarray(self._backend.encode(list(texts)), dtype=np.float32) * HEAD_SCALE
        head = self._head
        hidden = np.maximum(vectors @ head["head0"] + head["head0_b"], 0.0)
        need = hidden @ head["need1"] + head["need1_b"]
        return Heard(softmax(hidden @ head["head1"] + head["head1_b"]), need[:, 0])

    def _tuned_backend(self) -> Any:
        """The encoder's engine with the tuned weights; tokenizer and word table are shared with the original."""
        backend = copy.copy(backend_of_use())
        for name in TUNED_PARTS:
            if name in _LISTS:
                setattr(backend, name, [_single(self.arrays[f"{name}{number}"]) for number in range(3)])
            else:
                setattr(backend, name, _single(self.arrays[name]))
        return backend


def load_tuned(path: Path) -> Tuned | None:
    """What `bot/understanding/tuning.py` wrote; None where there is no such file."""
    if not path.is_file():
        return None
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files if name != "labels"}
        return Tuned(stored["labels"].tolist(), arrays)


def backend_of_use() -> Any:
    """The engine of the general encoder, one per process."""
    encoder = encoder_named("use")
    assert isinstance(encoder, UseEncoder)
    return encoder.engine


def _single(array: NDArray[Any]) -> Vectors:
    return np.asarray(array, dtype=np.float32)
