"""What are this exchange's own figures, with which articles are filled in? (The app's side only: Python 3.11+)"""

from __future__ import annotations

import tomllib
from pathlib import Path


class FiguresError(ValueError):
    """The file of figures cannot be used; the sentence names it and what is wrong."""


def read_figures(path: Path) -> dict[str, str]:
    """The figures of `path`, a flat TOML file of numbers and strings, as the text that articles show."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise FiguresError(f"{path} cannot be read: {error}") from error
    for name, value in data.items():
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise FiguresError(f"{path}: {name} must be a number or a string")
    return {name: str(value) for name, value in data.items()}
