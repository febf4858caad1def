"""The classifier inside one of Rasa's model archives; reading it needs no Rasa."""

from __future__ import annotations

import shutil
import tarfile
import tempfile
import zlib
from pathlib import Path
from typing import Final

from bot.understanding.classifier import Classifier
from bot.understanding.model_files import load

COMPONENT: Final = "IntentClassifier"


class CannotOpen(Exception):
    """The archive cannot be read; the message names it and the way out."""


def classifier_of(model: Path) -> Classifier:
    """Raises CannotOpen."""
    if not model.is_file():
        raise CannotOpen(f"There is no model at {model}: `redress train` makes one.")
    with tempfile.TemporaryDirectory(prefix="redress-model-") as private:
        try:
            _take_out(model, Path(private))
            return load(Path(private))
        except (OSError, EOFError, ValueError, tarfile.TarError, zlib.error) as error:
            raise CannotOpen(f"The model {model} cannot be read ({error}): `redress train` makes a new one.") from error


def _take_out(model: Path, folder: Path) -> None:
    """The classifier's files. Raises ValueError when the archive has none."""
    with tarfile.open(model) as archive:
        members = [each for each in archive if each.isfile() and COMPONENT in each.name]
        if not members:
            raise ValueError("it has no classifier")
        for member in members:
            source = archive.extractfile(member)
            assert source is not None
            with source, (folder / Path(member.name).name).open("wb") as target:
                shutil.copyfileobj(source, target)
