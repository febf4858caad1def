"""`redress train` and what `redress check` says of the bot's data; the training itself is tests/rasa's."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from sqlalchemy import Connection, insert

from bot import supervise
from bot.clock import now
from bot.operator import teaching
from bot.repository import corrections
from bot.repository.corrections import CorrectionRow
from bot.store.store import Store
from bot.store.tables import Agent
from tests.operator.conftest import Place

KNOWN = "现货二级账户吃单手续费到底是多少"
TOLD = (
    ("this fee is a riddle to me", "api_integration", False),
    ("这笔手续费到底怎么来的", "fees_limits", True),
    ("This fee is a riddle to me!", "fees_limits", False),
)


class Training:
    """Stands in for bot/rasa/train.py."""

    def __init__(self) -> None:
        self.code = 0
        self.calls: list[tuple[str, ...]] = []
        self.lessons = ""

    def __call__(self, *arguments: str) -> int:
        self.calls.append(arguments)
        if arguments[:1] == ("--candidate",):
            self.lessons = Path(arguments[1]).read_text(encoding="utf-8")
        return self.code


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> Training:
    made = Training()
    monkeypatch.setattr(supervise, "run_training", made)
    return made


def told(connection: Connection) -> None:
    who = {"login": "li", "name": "Li", "role": "agent", "password_hash": "", "created_at": now()}
    agent = connection.execute(insert(Agent).values(**who).returning(Agent.id)).scalar_one()
    for number, (text, label, escalate) in enumerate(TOLD):
        row = CorrectionRow(
            inbox_id=number + 1,
            case_id=None,
            text=text,
            language="en",
            old_label=None,
            new_label=label,
            old_escalate=False,
            new_escalate=escalate,
            agent_id=agent,
            at=now() + timedelta(seconds=number),
        )
        corrections.add(connection, row)


@pytest.fixture
def taught(first: Place) -> Place:
    with closing(Store(first.database)) as store, store._writing.begin() as connection:
        told(connection)
    return first


def test_a_candidate_learns_what_agents_said_last(taught: Place, training: Training) -> None:
    code, said = taught.redress("train", "--candidate")
    assert code == 0
    assert "3 corrections of agents, 2 to learn from\n  1 left aside: superseded by a later one\n" in said
    blocks = yaml.safe_load(training.lessons)["nlu"]
    assert [(block["intent"], block["metadata"]["escalate"], block["examples"]) for block in blocks] == [
        ("fees_limits", False, "- This fee is a riddle to me!\n"),
        ("fees_limits", True, "- 这笔手续费到底怎么来的\n"),
    ]
    assert not Path(training.calls[0][1]).exists()


def test_without_corrections_there_is_still_a_candidate(first: Place, training: Training) -> None:
    code, said = first.redress("train", "--candidate")
    assert (code, training.lessons) == (0, "")
    assert "0 corrections of agents, 0 to learn from" in said


@pytest.mark.parametrize(("ended", "code"), [(0, 0), (1, 1), (3, 3), (-9, 1), (2, 1)])
@pytest.mark.parametrize("option", ["", "--candidate", "--back"])
def test_the_exit_code_says_how_it_ended(taught: Place, training: Training, option: str, ended: int, code: int) -> None:
    training.code = ended
    assert taught.redress("train", *filter(None, [option]))[0] == code
    assert training.calls[0][:1] == tuple(filter(None, [option]))


def test_a_candidate_and_the_way_back_at_once_is_a_wrong_call(first: Place, training: Training) -> None:
    with pytest.raises(SystemExit) as ended:
        first.redress("train", "--candidate", "--back")
    assert (ended.value.code, training.calls) == (2, [])


def test_without_the_rasa_environment_it_says_how_to_get_it(
    first: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(supervise, "RASA_PYTHON", tmp_path / "python")
    assert "run `make setup` first" in first.refused("train")


Spoil = Callable[[str, str], None]


@pytest.fixture
def spoil(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Spoil:
    """Appends to a file of the bot's data, in a copy."""
    copy = tmp_path / "project" / "data"
    for part in ("nlu", "evaluation"):
        shutil.copytree(teaching.DATA / part, copy / part)
    monkeypatch.setattr(teaching, "DATA", copy)

    def append(name: str, line: str) -> None:
        with (copy / name).open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    return append


@pytest.mark.parametrize("command", [("check",), ("train", "--candidate")])
def test_bad_data_stop_it_with_file_and_line(
    first: Place, training: Training, spoil: Spoil, command: tuple[str, ...]
) -> None:
    spoil("nlu/greet.yml", "  - intent: hail")
    spoil("nlu/spam.yml", "nlu: []")
    said = first.refused(*command)
    assert "data/nlu/greet.yml:" in said
    assert "hail is no label" in said
    assert training.calls == []


def test_a_sentence_of_the_evaluation_among_the_training_data_is_named(first: Place, spoil: Spoil) -> None:
    spoil("nlu/fees_limits.yml", f"      - {KNOWN}")
    frozen = f'{{"id": "zh-900", "text": "{KNOWN}？", "label": "fees_limits", "escalate": true, "kind": "chat"}}'
    spoil("evaluation/messages.zh.jsonl", frozen)
    said = first.refused("check")
    assert "is a message of the evaluation, data/evaluation/messages.zh.jsonl:541" in said


def test_check_counts_what_the_bot_learns_from(first: Place) -> None:
    code, said = first.redress("check")
    assert code == 0
    assert "training sentences, 1,080 evaluation messages and the database are in order" in said


def test_check_says_what_is_too_little(first: Place, spoil: Spoil) -> None:
    path = teaching.DATA / "nlu" / "greet.yml"
    english = path.read_text(encoding="utf-8").split("  # 中文")
    lines = english[0].splitlines()
    path.write_text("\n".join(lines[:15]) + "\n  # 中文" + english[1], encoding="utf-8")
    said = first.refused("check")
    assert "data/nlu: greet has 6 sentences in en, it needs 30" in said
