"""Is the trained model the one that today's inputs would give, and is it whole? Standard library only.

Beside an archive `bot.tar.gz` stand its stamp, `bot.stamp`, and what agents taught it, `bot.taught.yml`, if anything.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Iterator, Mapping, Optional

Entry = Mapping[str, Any]
"""`inputs`: the digest of what an archive was made from; `model`: the digest of the archive itself."""

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "bot.tar.gz"
INPUTS = (
    "config.yml",
    "domain.yml",
    "data/nlu",
    "data/rules",
    "data/stories",
    "data/tuned",
    "bot/rasa/components",
    "bot/understanding/*.py",
    "bot/understanding/lexicon",
    "bot/rasa/requirements.lock",
)
"""Files and folders that the model is made from, relative to the project. The packages inside `bot/understanding`
(entities, secrets, knowledge, lessons) have no part in it."""


def inputs_digest(root: Path = ROOT, taught: Optional[Path] = None) -> str:
    """SHA-256 over the names and contents of all inputs, and over what was taught."""
    digest = hashlib.sha256()
    for path in _files(root):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(root).as_posix()} {content}\n".encode())
    if taught is not None and taught.is_file():
        digest.update(f"taught {file_digest(taught)}\n".encode())
    return digest.hexdigest()


def is_current(model: Path = MODEL, root: Path = ROOT) -> bool:
    """Whether the archive is whole and was trained from exactly these inputs."""
    return fault_of(model) is None and inputs_of(model) == inputs_digest(root, taught_path(model))


def inputs_of(model: Path) -> Optional[str]:
    """The digest of what a whole archive was made from."""
    entry = _entry(model, file_digest(model))
    return None if entry is None else str(entry.get("inputs"))


def fault_of(model: Path) -> Optional[str]:
    """What is wrong with the archive, as a sentence with the way out; None when it is as it was trained."""
    if not model.is_file():
        return f"There is no model at {model}: train one with bot/rasa/train.py."
    if _entry(model, file_digest(model)) is None:
        return f"The model {model} is not the one that was trained (damaged or replaced): train again."
    return None


def write_stamp(model: Path, inputs: str) -> None:
    """Records what the archive was made from and what it looks like."""
    write_entry(model, {"inputs": inputs, "model": file_digest(model)})


def write_entry(model: Path, entry: Entry, coming: Optional[Entry] = None) -> None:
    """Replaces the stamp at once. `coming`: the archive that is just taking this one's place; both fit meanwhile."""
    stamp = dict(entry) if coming is None else {**entry, "coming": dict(coming)}
    fresh = stamp_path(model).with_suffix(".stamp-new")
    fresh.write_text(json.dumps(stamp, indent=1) + "\n", encoding="utf-8")
    fresh.replace(stamp_path(model))


def entry_of(model: Path) -> Optional[Entry]:
    """What the stamp says of the archive as it is; None for one that is missing or not whole."""
    return _entry(model, file_digest(model)) if model.is_file() else None


def stamp_path(model: Path) -> Path:
    return model.with_name(_stem(model) + ".stamp")


def taught_path(model: Path) -> Path:
    return model.with_name(_stem(model) + ".taught.yml")


def file_digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def _files(root: Path) -> Iterator[Path]:
    for path in (path for name in INPUTS for path in sorted(root.glob(name))):
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        yield from (each for each in inside if each.is_file() and "__pycache__" not in each.parts)


def _entry(model: Path, digest: str) -> Optional[Entry]:
    """The stamp's entry for an archive with that digest."""
    try:
        stamp = json.loads(stamp_path(model).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    entries = [stamp, stamp.get("coming")] if isinstance(stamp, dict) else []
    return next((each for each in entries if isinstance(each, dict) and each.get("model") == digest), None)


def _stem(model: Path) -> str:
    return model.name.split(".", 1)[0]
