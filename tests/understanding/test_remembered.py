"""Vectors of training texts are kept from one training to the next, and a damaged memory is no loss."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bot.understanding import remembered
from bot.understanding.remembered import vectors_of

TEXTS = ["where is my withdrawal", "我的提现到哪了"]


def test_what_is_known_is_not_encoded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = vectors_of(TEXTS, "use", tmp_path)
    monkeypatch.setattr(remembered, "encoder_named", lambda name: pytest.fail(f"{name} was asked again"))
    assert np.array_equal(vectors_of(TEXTS, "use", tmp_path), first)


@pytest.mark.parametrize("left", [0, 100, 0.5])
def test_a_memory_that_was_cut_short_is_made_anew(tmp_path: Path, left: float) -> None:
    first = vectors_of(TEXTS, "use", tmp_path)
    file = tmp_path / "use.npz"
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * left) if left < 1 else int(left)])
    assert np.array_equal(vectors_of(TEXTS, "use", tmp_path), first)
    assert len(file.read_bytes()) == len(whole)
