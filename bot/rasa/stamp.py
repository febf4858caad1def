"""Is the trained model the one that today's inputs would give, and is it whole? Standard library only."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Dict, Iterator, Optional

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "bot.tar.gz"
INPUTS = (
    "config.yml",
    "domain.yml",
    "data/nlu",
    "data/rules",
    "data/stories",
    "bot/rasa/components",
    "bot/understanding",
    "bot/rasa/requirements.lock",
)
"""Files and folders that the model is made from, relative to the project."""


def inputs_digest(root: Path = ROOT) -> str:
    """SHA-256 over the names and contents of all inputs."""
    digest = hashlib.sha256()
    for path in _files(root):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(root).as_posix()} {content}\n".encode())
    return digest.hexdigest()


def is_current(model: Path = MODEL, root: Path = ROOT) -> bool:
    """Whether the archive is whole and was trained from exactly these inputs."""
    return fault_of(model) is None and _stamp(model).get("inputs") == inputs_digest(root)


def fault_of(model: Path) -> Optional[str]:
    """What is wrong with the archive, as a sentence with the way out; None when it is as it was trained."""
    if not model.is_file():
        return f"There is no model at {model}: train one with bot/rasa/train.py."
    if _stamp(model).get("model") != _file_digest(model):
        return f"The model {model} is not the one that was trained (damaged or replaced): train again."
    return None


def write_stamp(model: Path, inputs: str) -> None:
    """Records what the archive was made from and what it looks like."""
    stamp = {"inputs": inputs, "model": _file_digest(model)}
    _stamp_path(model).write_text(json.dumps(stamp, indent=1) + "\n", encoding="utf-8")


def _files(root: Path) -> Iterator[Path]:
    for name in INPUTS:
        path = root / name
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        yield from (each for each in inside if each.is_file() and "__pycache__" not in each.parts)


def _stamp_path(model: Path) -> Path:
    return model.with_name(model.name.split(".", 1)[0] + ".stamp")


def _stamp(model: Path) -> Dict[str, str]:
    try:
        stamp = json.loads(_stamp_path(model).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def _file_digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()
