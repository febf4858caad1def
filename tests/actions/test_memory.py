"""What is remembered survives Rasa's slots, and what is over is forgotten."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from actions.memory import MATTERS_KEPT, Memory

WORDS = st.text(max_size=8)
MEMORIES = st.builds(
    Memory,
    awaiting=st.sampled_from([None, "helped", "open_case", "fact"]),
    asked=st.none() | WORDS,
    tries=st.integers(0, 9),
    matter=st.none() | WORDS,
    misunderstood=st.integers(0, 9),
    facts=st.dictionaries(WORDS, st.dictionaries(WORDS, WORDS, max_size=3), max_size=3),
    later=st.lists(WORDS, max_size=3).map(tuple),
    features=st.lists(WORDS, max_size=3).map(tuple),
    days=st.floats(0, 999),
    tried=st.lists(WORDS, max_size=3).map(tuple),
    began=st.none() | st.integers(1, 9),
    unhanded=st.lists(WORDS, max_size=3).map(tuple),
    epoch=st.none() | st.integers(0, 9),
)


@given(MEMORIES, MEMORIES)
def test_a_memory_comes_back_from_its_slots(before: Memory, after: Memory) -> None:
    """Only what changed is written, over what stood there, as JSON."""
    slots = before.changes(Memory()) | after.changes(before)
    assert Memory.read(json.loads(json.dumps(slots))) == after


def test_empty_slots_are_nothing_remembered() -> None:
    assert Memory.read({"awaiting": None, "misunderstood": 0.0, "session_started_metadata": {}}) == Memory()


def test_nothing_new_is_nothing_to_write() -> None:
    memory = Memory(matter="fees_limits", facts={"fees_limits": {"amount": "5 USD"}})
    assert memory.changes(memory) == {}


def test_facts_of_a_matter_are_kept_apart_and_added_up() -> None:
    memory = Memory().with_facts(None, {"uid": "1"}).with_facts("deposit_issue", {"asset": "BTC"})
    memory = memory.with_facts("deposit_issue", {"network": "BTC"}).with_facts("fees_limits", {"asset": "ETH"})
    assert memory.held("deposit_issue") == {"uid": "1", "asset": "BTC", "network": "BTC"}
    assert memory.held("fees_limits") == {"uid": "1", "asset": "ETH"}


def test_of_many_matters_the_oldest_is_forgotten() -> None:
    memory = Memory()
    for number in range(20):
        memory = memory.with_facts(f"matter {number}", {"asset": "BTC"})
    assert len(memory.facts) == MATTERS_KEPT
    assert "matter 19" in memory.facts


def test_a_closed_matter_is_forgotten_but_not_a_case_that_waits_for_its_person() -> None:
    memory = Memory(matter="fees_limits", features=("missing",), days=9, unhanded=("frozen",), epoch=3)
    assert memory.closed() == Memory(unhanded=("frozen",), epoch=3)
