"""When the model is trained, and when it is not."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from bot.rasa.components.verdict import verdict
from bot.rasa.stamp import fault_of, inputs_digest, is_current, write_stamp
from bot.understanding.classifier import Classification
from bot.understanding.labels import ACTS, BACKGROUND, CLASSES
from tests.rasa.processes import RASA_PYTHON, ROOT, environment


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project with every kind of input, and a model made from it."""
    for name in ("config.yml", "domain.yml", "bot/rasa/requirements.lock", "data/nlu/a.yml", "bot/understanding/a.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    model = tmp_path / "models" / "bot.tar.gz"
    model.parent.mkdir()
    model.write_bytes(b"a model")
    write_stamp(model, inputs_digest(tmp_path))
    return tmp_path


def current(project: Path) -> bool:
    return is_current(project / "models" / "bot.tar.gz", project)


def test_a_model_of_these_inputs_is_current(project: Path) -> None:
    assert current(project)


@pytest.mark.parametrize("name", ["config.yml", "domain.yml", "bot/rasa/requirements.lock", "data/nlu/a.yml"])
def test_a_changed_input_makes_it_old(project: Path, name: str) -> None:
    (project / name).write_text("changed")
    assert not current(project)


def test_a_new_a_renamed_and_a_vanished_file_make_it_old(project: Path) -> None:
    new = project / "data" / "nlu" / "b.yml"
    new.write_text("")
    assert not current(project)
    new.unlink()
    assert current(project)
    old = project / "data" / "nlu" / "a.yml"
    old.rename(new)
    assert not current(project)
    new.unlink()
    assert not current(project)


def test_what_the_component_does_not_load_is_no_input(project: Path) -> None:
    package = project / "bot" / "understanding" / "secrets"
    package.mkdir()
    (package / "seed.py").write_text("")
    assert current(project)
    script = "import sys, bot.rasa.components.intent_classifier; print(*sys.modules)"
    done = subprocess.run([RASA_PYTHON, "-W", "ignore", "-c", script], cwd=ROOT, env=environment(), capture_output=True)
    loaded = [name for name in done.stdout.decode().split() if name.startswith("bot.understanding.")]
    assert "bot.understanding.classifier" in loaded
    assert all(name.count(".") == 2 for name in loaded)


def test_compiled_python_is_no_input(project: Path) -> None:
    cache = project / "bot" / "understanding" / "__pycache__"
    cache.mkdir()
    (cache / "a.cpython-312.pyc").write_bytes(b"x")
    assert current(project)


def test_a_damaged_model_is_not_current_and_says_so(project: Path) -> None:
    model = project / "models" / "bot.tar.gz"
    model.write_bytes(b"a mode")
    assert not current(project)
    assert "not the one that was trained" in (fault_of(model) or "")


@pytest.mark.parametrize("stamp", ["", "{", "[]", json.dumps({"inputs": "x"})])
def test_a_broken_stamp_means_train_again(project: Path, stamp: str) -> None:
    (project / "models" / "bot.stamp").write_text(stamp)
    assert not current(project)


def test_an_unchanged_project_is_not_trained_again(model: Path) -> None:
    before = model.stat().st_mtime_ns
    started = time.monotonic()
    done = subprocess.run(
        [str(RASA_PYTHON), str(ROOT / "bot/rasa/train.py")], env=environment(), capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "model is up to date\n")
    assert time.monotonic() - started < 5  # under a second on a quiet machine; Rasa's import alone takes nine
    assert model.stat().st_mtime_ns == before


def test_a_failed_training_leaves_the_old_model(tmp_path: Path) -> None:
    for name in ("actions", "bot", "data"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns(".venv", "__pycache__"))
    for name in ("config.yml", "domain.yml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "data" / "nlu" / "fees_limits.yml").write_text('version: "3.1"\nnlu: [')
    model = tmp_path / "models" / "bot.tar.gz"
    model.parent.mkdir()
    model.write_bytes(b"the old model")
    done = subprocess.run(
        [str(RASA_PYTHON), str(tmp_path / "bot/rasa/train.py")], env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "data/nlu/fees_limits.yml:2: is no YAML" in done.stderr
    assert "the old model, if any, stays in place" in done.stderr
    assert "Traceback" not in done.stderr
    assert model.read_bytes() == b"the old model"
    assert [path.name for path in model.parent.iterdir()] == ["bot.tar.gz"]


@pytest.mark.parametrize(
    ("label", "ranking", "wanted"),
    [
        ("fees_limits", (("fees_limits", 0.9), ("greet", 0.1)), "fees_limits"),
        ("fees_limits", (("fees_limits", 0.3), ("greet", 0.1)), "fees_limits"),
        ("fees_limits", (("fees_limits", 0.29), ("greet", 0.1)), "nlu_fallback"),
        ("fees_limits", (("fees_limits", 0.52), ("deposit_issue", 0.50)), "nlu_fallback"),
        ("fees_limits", (("fees_limits", 0.9),), "fees_limits"),
        ("background", (("fees_limits", 0.9),), "nlu_fallback"),
    ],
)
def test_a_guess_is_no_verdict(label: str, ranking: tuple[tuple[str, float], ...], wanted: str) -> None:
    found = Classification(label, ranking[0][1], ranking)
    assert verdict(found, threshold=0.3, ambiguity=0.06)[0] == wanted


def test_two_matters_in_two_sentences_are_no_guess() -> None:
    ranking = (("fees_limits", 0.52), ("deposit_issue", 0.50))
    found = Classification("fees_limits", 0.52, ranking, also=("deposit_issue",))
    assert verdict(found, threshold=0.3, ambiguity=0.06)[0] == "fees_limits"


def test_the_domain_has_every_label_of_the_classifier() -> None:
    domain = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))
    without_words = {"file", "skip", "nlu_fallback"}  # a file, a pressed button, and what was not understood
    assert set(domain["intents"]) == {*CLASSES, *ACTS, BACKGROUND, *without_words}


def test_no_slot_is_filled_from_what_a_user_types() -> None:
    domain = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))
    for slot in domain["slots"].values():
        assert slot["mappings"] == [{"type": "custom"}]
        assert slot["influence_conversation"] is False


def test_the_bot_says_nothing_by_itself() -> None:
    domain = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))
    assert domain.get("responses", {}) == {}


VALIDATE = """
import sys, warnings
from rasa.validator import Validator
from rasa.shared.importers.importer import TrainingDataImporter
importer = TrainingDataImporter.load_from_dict(
    config_path="config.yml", domain_path="domain.yml", training_data_paths=["data/nlu", "data/rules", "data/stories"]
)
validator = Validator.from_importer(importer)
checks = (
    validator.verify_domain_validity(),
    validator.verify_slot_mappings(),
    validator.verify_intents_in_stories(ignore_warnings=False),
    validator.verify_nlu(ignore_warnings=False),
    validator.verify_actions_in_stories_rules(),
    validator.verify_story_structure(ignore_warnings=False),
)
print(checks)
sys.exit(0 if all(checks) else 1)
"""


@pytest.mark.timeout(180)
def test_rasa_finds_no_fault_with_the_data() -> None:
    variables = {"RASA_TELEMETRY_ENABLED": "false", "PYTHONPATH": str(ROOT), "SQLALCHEMY_SILENCE_UBER_WARNING": "1"}
    command = [str(RASA_PYTHON), "-c", VALIDATE]
    done = subprocess.run(command, cwd=ROOT, env=environment(**variables), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
