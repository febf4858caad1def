"""Settings: the example is the truth, and mistakes are named."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from pydantic import BaseModel

from bot.settings import FilesSettings, Settings, SettingsError, load
from channels.registry import names
from tests.repo.tree import ROOT


def section_of(channel: str) -> type[BaseModel]:
    """The class that checks a channel's section, found as any new channel's would be."""
    module = importlib.import_module(f"channels.{channel}.settings")
    found = [kind for kind in vars(module).values() if isinstance(kind, type) and kind.__module__ == module.__name__]
    [section] = [kind for kind in found if issubclass(kind, BaseModel)]
    return section


def test_the_example_file_shows_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDRESS_CONFIG", str(ROOT / "redress.example.toml"))
    shown = load().model_dump()
    channels = shown.pop("channel")
    defaults = Settings.model_construct().model_dump()
    defaults.pop("channel")
    assert shown == defaults
    assert sorted(channels) == names()
    for name, shown in channels.items():
        defaults = section_of(name)().model_dump()
        assert {field: defaults[field] for field in shown} == shown


def test_every_setting_is_in_the_example() -> None:
    text = (ROOT / "redress.example.toml").read_text(encoding="utf-8")
    assert [name for name in Settings.model_fields if name not in text] == []


def test_the_environment_goes_before_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "redress.toml").write_text("http_port = 9001\nsmtp_port = 9002\n", encoding="utf-8")
    monkeypatch.setenv("REDRESS_CONFIG", str(tmp_path / "redress.toml"))
    monkeypatch.setenv("REDRESS_HTTP_PORT", "9003")
    monkeypatch.setenv("REDRESS_PROMISE__DECISION_DAYS", "40")
    settings = load()
    assert (settings.http_port, settings.smtp_port, settings.promise.decision_days) == (9003, 9002, 40)


@pytest.mark.parametrize(
    ("clamd", "scanner"),
    [
        ("", None),
        ("127.0.0.1:3310", ("127.0.0.1", 3310)),
        ("clamd.internal:3310", ("clamd.internal", 3310)),
        ("[::1]:3310", ("::1", 3310)),
    ],
)
def test_where_the_scanner_listens(clamd: str, scanner: tuple[str, int] | None) -> None:
    assert FilesSettings(clamd=clamd).scanner == scanner


@pytest.mark.parametrize(
    ("variable", "value", "named"),
    [
        ("REDRESS_HTP_PORT", "1", "REDRESS_HTP_PORT"),
        ("REDRESS_HTTP_PORT", "many", "http_port"),
        ("REDRESS_PROMISE__DAYS", "1", "promise.DAYS"),
        ("REDRESS_RASA_URL", "http://127.0.0.1:1", "rasa_secret"),
        ("REDRESS_RASA_URL", "localhost:5005", "rasa_url.*localhost:5005.*one looks like"),
        ("REDRESS_FILES__CLAMD", "/run/clamd.sock", "files.clamd.*TCPSocket"),
        ("REDRESS_FILES__CLAMD", "127.0.0.1:", "files.clamd"),
        ("REDRESS_FILES__CLAMD", "127.0.0.1:70000", "files.clamd"),
    ],
)
def test_a_mistake_is_named(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, named: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=f"(?i){named}"):
        load()
