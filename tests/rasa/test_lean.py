"""The Rasa process does without TensorFlow while its model does, and checks answers as strictly as Rasa would."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from pathlib import Path

import pytest

from bot.rasa.lean import components
from tests.rasa.processes import RASA_PYTHON, ROOT, Running, environment

OURS = ["bot.rasa.components.intent_classifier.IntentClassifier", "rasa.core.policies.rule_policy.RulePolicy"]
DIET = "rasa.nlu.classifiers.diet_classifier.DIETClassifier"


def archive(folder: Path, uses: list[str]) -> Path:
    """A model archive as far as its own description goes."""
    nodes = {f"run_{number}": {"uses": name} for number, name in enumerate(uses)}
    content = json.dumps({"predict_schema": {"nodes": nodes}}).encode()
    path = folder / "bot.tar.gz"
    with tarfile.open(path, "w:gz") as made:
        member = tarfile.TarInfo("metadata.json")
        member.size = len(content)
        made.addfile(member, io.BytesIO(content))
    return path


def in_rasa(code: str, *arguments: str) -> str:
    """What the code prints, run by the Rasa environment's Python."""
    command = [str(RASA_PYTHON), "-W", "ignore", "-c", code, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment(PYTHONPATH=str(ROOT)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_our_own_model_needs_no_tensorflow(model: Path) -> None:
    assert OURS[0] in components(model)
    assert in_rasa(_LEAVE_OUT, str(model)) == "True stand-in"


def test_a_model_with_another_component_gets_the_real_one(tmp_path: Path) -> None:
    assert in_rasa(_LEAVE_OUT, str(archive(tmp_path, [*OURS, DIET]))) == "False real"


def test_a_process_without_it_says_which_models_it_cannot_take_up(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    ours, other = archive(tmp_path, OURS), archive(tmp_path / "other", [*OURS, DIET])
    assert in_rasa(_FITS, str(ours), str(other)) == "True True True False"


_FITS = """
import sys
from pathlib import Path
from bot.rasa.lean import fits_here, leave_out_tensorflow
ours, other = map(Path, sys.argv[1:])
before = fits_here(ours), fits_here(other)
leave_out_tensorflow(ours)
print(*before, fits_here(ours), fits_here(other))
"""

_LEAVE_OUT = """
import sys
from importlib.util import find_spec
from pathlib import Path
from bot.rasa.lean import leave_out_tensorflow
print(leave_out_tensorflow(Path(sys.argv[1])), "real" if find_spec("tensorflow").origin else "stand-in")
"""


def test_what_needs_tensorflow_can_be_defined_but_not_used(tmp_path: Path) -> None:
    said = in_rasa(_USE_IT, str(archive(tmp_path, OURS)))
    assert said.startswith("Layered needs TensorFlow, which this process left out")


_USE_IT = """
import sys
from pathlib import Path
from bot.rasa.lean import leave_out_tensorflow
leave_out_tensorflow(Path(sys.argv[1]))
import tensorflow as tf
from tensorflow.keras.utils import Sequence
class Layered(tf.keras.layers.Layer, Sequence):
    def call(self, x: tf.Tensor) -> "tf.Tensor": ...
try:
    Layered()
except RuntimeError as error:
    print(str(error).replace("__main__.", ""))
"""


def test_the_serving_process_has_not_loaded_it(rasa: Running) -> None:
    mapped = Path(f"/proc/{rasa.process.pid}/maps").read_text(encoding="utf-8")
    assert "numpy" in mapped
    assert "tensorflow" not in mapped


def test_answers_are_judged_as_rasa_judges_them() -> None:
    assert json.loads(in_rasa(_JUDGE)) == [
        ["empty", True, True],
        ["a slot", True, True],
        ["an event without a name", False, False],
        ["events that are no list", False, False],
        ["responses that are no objects", False, False],
        ["no object", False, False],
    ]


def test_the_latest_turns_are_what_the_rules_look_at() -> None:
    assert json.loads(in_rasa(_LATEST)) == {"0": 0, "1": 2, "3": 6, "7": 6}


_LATEST = """
import json
from rasa.shared.core.events import ActionExecuted, UserUttered
from bot.rasa.components.recent_rules import latest

def conversation(turns):
    return [event for _ in range(turns) for event in (ActionExecuted("action_listen"), UserUttered("hello"))]

print(json.dumps({turns: len(latest(conversation(turns))) for turns in (0, 1, 3, 7)}))
"""


_JUDGE = """
import json
from jsonschema import ValidationError
from rasa.core.actions.action import RemoteAction
from bot.rasa.calls import AnswerWithoutForm, call_cheaply

ANSWERS = {
    "empty": {"events": [], "responses": []},
    "a slot": {"events": [{"event": "slot", "name": "matter", "value": "fees"}], "responses": [{"text": "x"}]},
    "an event without a name": {"events": [{"name": "matter"}], "responses": []},
    "events that are no list": {"events": "x"},
    "responses that are no objects": {"events": [], "responses": ["x"]},
    "no object": [],
}

def verdicts():
    action = RemoteAction("action_x", None)
    for name, answer in ANSWERS.items():
        try:
            yield name, action._validate_action_result(answer)
        except (ValidationError, AnswerWithoutForm):
            yield name, False

before = dict(verdicts())
call_cheaply()
print(json.dumps([[name, before[name], now] for name, now in verdicts()]))
"""


@pytest.mark.parametrize("broken", [b"", b"not an archive"])
def test_an_archive_that_says_nothing_is_a_fault(tmp_path: Path, broken: bytes) -> None:
    path = tmp_path / "bot.tar.gz"
    path.write_bytes(broken)
    with pytest.raises(tarfile.TarError):
        components(path)
