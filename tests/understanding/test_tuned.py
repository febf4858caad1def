"""The tuned reader: the package's own engine with exchanged weights, and a head."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.understanding.encoder import encoder_named
from bot.understanding.labels import ACTS, BACKGROUND, CLASSES
from bot.understanding.tuned import HEAD_SCALE, TUNED_PARTS, Tuned, backend_of_use, load_tuned

SHIPPED = Path(__file__).parents[2] / "data" / "tuned" / "tuned.npz"
TEXTS = ["where is my withdrawal", "我的提现到哪了", "a", ""]


def untuned(labels: int = 512) -> dict[str, Any]:
    """The weights as the package ships them, and a head that hands the vector on."""
    arrays: dict[str, Any] = {}
    for name in TUNED_PARTS:
        value = getattr(backend_of_use(), name)
        parts = enumerate(value) if isinstance(value, list) else [("", value)]
        arrays |= {f"{name}{number}": part for number, part in parts}
    head = np.eye(512, labels, dtype=np.float32)
    heads = {"head0": np.eye(512), "head0_b": np.ones(512) * 9, "head1": head, "head1_b": np.zeros(labels)}
    return arrays | heads | {"need1": np.full((512, 1), 0.5), "need1_b": np.array([1.0])}


def test_with_the_weights_as_shipped_the_copy_computes_what_the_encoder_does() -> None:
    chances, need = Tuned([str(number) for number in range(512)], untuned()).read(TEXTS)
    logits = np.log(chances)
    vectors = encoder_named("use").encode(TEXTS) * HEAD_SCALE
    assert np.allclose(
        logits - logits.mean(axis=1, keepdims=True), vectors - vectors.mean(axis=1, keepdims=True), atol=1e-3
    )
    assert np.allclose(need, (vectors + 9).sum(axis=1) * 0.5 + 1, atol=1e-2)


def test_the_encoder_itself_is_left_as_it_was() -> None:
    before = encoder_named("use").encode(TEXTS)
    arrays = untuned(3)
    changed = {name: np.zeros_like(value) if name.startswith("d") else value for name, value in arrays.items()}
    read = Tuned(["a", "b", "c"], changed).read(TEXTS)
    assert np.allclose(read.chances.sum(axis=1), 1)
    assert np.array_equal(encoder_named("use").encode(TEXTS), before)


def test_what_is_shipped_knows_every_label() -> None:
    tuned = load_tuned(SHIPPED)
    assert tuned is not None
    assert sorted(tuned.labels) == sorted((*CLASSES, *ACTS, BACKGROUND))


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("my account is frozen since monday", "account_frozen_risk_control"),
        ("谷歌验证器丢了登不上", "login_2fa_recovery"),
    ],
)
def test_what_is_shipped_names_a_plain_matter(text: str, label: str) -> None:
    tuned = load_tuned(SHIPPED)
    assert tuned is not None
    assert tuned.labels[int(tuned.read([text]).chances[0].argmax())] == label


@pytest.mark.parametrize(
    ("pressing", "harmless"),
    [
        ("someone emptied my account last night", "how do I set up a passkey"),
        ("账户被冻结半个月了没人管", "请问手续费是多少"),
    ],
)
def test_what_is_shipped_tells_what_needs_a_case_from_what_does_not(pressing: str, harmless: str) -> None:
    tuned = load_tuned(SHIPPED)
    assert tuned is not None
    assert tuned.read([pressing]).need[0] > 0 > tuned.read([harmless]).need[0]


def test_where_there_is_none_there_is_none(tmp_path: Path) -> None:
    assert load_tuned(tmp_path / "tuned.npz") is None
