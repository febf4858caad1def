"""TensorFlow would be half of the Rasa process and our model never uses it: a stand-in takes its place.

Rasa imports TensorFlow for every component that a model could contain (DIET, TED, ...). On the stand-in classes can be
defined and annotated, which is all that importing them takes; using anything of it raises. A model with a component
that is not known to do without gets the real one. docs/decisions/0014-rasa-without-tensorflow.md has the figures.
"""

from __future__ import annotations

import json
import sys
import tarfile
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, List, NoReturn, Optional

NEED_NONE = (
    "bot.rasa.components.",
    "rasa.graph_components.",
    "rasa.nlu.classifiers.regex_message_handler.",
    "rasa.core.policies.memoization.",
    "rasa.core.policies.rule_policy.",
    "rasa.core.policies.ensemble.",
)
"""Components that run without TensorFlow, by the beginning of their names."""
_LEFT_OUT = ("tensorflow", "keras")


def leave_out_tensorflow(model: Path) -> bool:
    """Puts the stand-in in place unless the model needs the real one. Call it before Rasa is imported."""
    if not _does_without(model):
        return False
    sys.meta_path.insert(0, _Finder())
    return True


def fits_here(model: Path) -> bool:
    """Whether this process can load that archive, too. Raises whatever a broken archive provokes."""
    return _does_without(model) or not any(isinstance(finder, _Finder) for finder in sys.meta_path)


def _does_without(model: Path) -> bool:
    return all(name.startswith(NEED_NONE) for name in components(model))


def components(model: Path) -> List[str]:
    """What the archive says it is made of. Raises whatever a broken archive provokes."""
    with tarfile.open(model) as archive:
        member = archive.extractfile("metadata.json")
        assert member is not None
        nodes = json.load(member)["predict_schema"]["nodes"]
    return [str(node["uses"]) for node in nodes.values()]


class _Absent(type):
    """A class of which every attribute is another such class, and that nobody can make anything of."""

    def __getattr__(cls, name: str) -> Any:
        return _absent(cls, name)

    def __call__(cls, *_: Any, **__: Any) -> NoReturn:
        raise RuntimeError(
            f"{cls.__module__}.{cls.__qualname__} needs TensorFlow, which this process left out: see bot/rasa/lean.py"
        )


class _Module(ModuleType):
    def __getattr__(self, name: str) -> Any:
        return _absent(self, name)


def _absent(holder: Any, name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    made = _Absent(name, (), {"__module__": "tensorflow"})
    setattr(holder, name, made)
    return made


class _Finder(MetaPathFinder, Loader):
    def find_spec(self, fullname: str, _path: Any, _target: Any = None) -> Optional[ModuleSpec]:
        if fullname.split(".")[0] not in _LEFT_OUT:
            return None
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Module(spec.name)

    def exec_module(self, _module: ModuleType) -> None:
        """There is nothing in it."""
