"""Everything we say to people, in English and Chinese, looked up by key.

A catalogue is a pair of flat YAML files `<name>.en.yml` and `<name>.zh.yml`; its keys are spoken of as
`<name>.<key>`. A missing twin or a placeholder that only one language has stops the start. 繁體 ("zh-Hant") has no
files: it is the Simplified catalogue as `traditional.py` writes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import yaml

from bot.wording.traditional import HANT, traditional

try:
    from yaml import CSafeLoader as SafeLoader  # eight times as fast
except ImportError:  # built without libyaml
    from yaml import SafeLoader  # type: ignore[assignment]

LANGUAGES = ("en", "zh")
"""Those that catalogues are written in."""
SPOKEN = (*LANGUAGES, HANT)
HERE = Path(__file__).parent
_PLACEHOLDER = re.compile(r"{(\w+)}")


def base(language: str | None) -> Literal["en", "zh"]:
    """The language whose catalogue, articles and models serve: "zh" for both scripts, else "en"."""
    return "zh" if language in ("zh", HANT) else "en"


class WordingError(Exception):
    """A catalogue is broken; the message names the file and the key."""


class Wording:
    """`say("bot.greet", "zh", name="…")` -> the sentence. Raises KeyError on an unknown key: a bug of ours."""

    def __init__(self, sentences: Mapping[str, Mapping[str, str]]) -> None:
        self._sentences = sentences
        self._hant: dict[str, str] = {}
        """What has been said in 繁體 so far: its tables cost more than all else here, and many never need them."""

    def say(self, key: str, language: str, **values: object) -> str:
        sentence = self._in_hant(key) if language == HANT else self._sentences[base(language)][key]
        return _PLACEHOLDER.sub(lambda match: str(values[match.group(1)]), sentence)

    def _in_hant(self, key: str) -> str:
        if key not in self._hant:
            self._hant[key] = traditional(self._sentences["zh"][key])
        return self._hant[key]

    def written(self, text: str, language: str) -> str:
        """Chinese of ours that is in no catalogue (an article, a name, a title) in the script of `language`."""
        return traditional(text) if language == HANT else text

    def knows(self, key: str) -> bool:
        return key in self._sentences["en"]

    def keys(self) -> Iterable[str]:
        return self._sentences["en"].keys()

    def placeholders(self, key: str) -> frozenset[str]:
        return frozenset(_PLACEHOLDER.findall(self._sentences["en"][key]))


def load(*folders: Path) -> Wording:
    """Reads every catalogue in `folders` (default: this one). Raises WordingError."""
    sentences: dict[str, dict[str, str]] = {language: {} for language in LANGUAGES}
    for folder in folders or (HERE,):
        for language in LANGUAGES:
            for path in sorted(folder.glob(f"*.{language}.yml")):
                sentences[language].update(_read(path))
    _insist_on_twins(sentences)
    return Wording(sentences)


def _read(path: Path) -> dict[str, str]:
    catalogue = path.name.split(".")[0]
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), SafeLoader) or {}
    except yaml.YAMLError as error:
        raise WordingError(f"{path} is not valid YAML: {error}") from error
    for key, sentence in content.items():
        if not isinstance(key, str) or not isinstance(sentence, str):
            raise WordingError(f"{path}: {key!r} must be a sentence (quote yes, no, on and off)")
    return {f"{catalogue}.{key}": sentence.strip() for key, sentence in content.items()}


def _insist_on_twins(sentences: Mapping[str, Mapping[str, str]]) -> None:
    en, zh = sentences["en"], sentences["zh"]
    if lonely := sorted(en.keys() ^ zh.keys()):
        raise WordingError(f"these sentences have no twin in the other language: {', '.join(lonely)}")
    for key in en:
        if set(_PLACEHOLDER.findall(en[key])) != set(_PLACEHOLDER.findall(zh[key])):
            raise WordingError(f"{key}: the two languages use different placeholders")
