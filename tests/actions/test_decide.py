"""The table of what the bot does, class by class and answer by answer."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from actions.commands import Answer, HandIfSilent, HandToPerson, OpenCase, Resolve, Say, TellCaseStatus
from actions.decide import STEPS, decide, wanted_look_up
from actions.handing import AT_ONCE, UPSET
from actions.lookup import Finding, Unavailable, Unreadable
from actions.matter import CHECK
from actions.matters import CLASSES, FLOWS, HOW_TO, flow_of
from actions.memory import Memory
from actions.turn import Turn
from bot.understanding.knowledge import Knowledge
from bot.understanding.labels import COMPLAINTS, OTHERS
from tests.actions.short import hand, names, opened

ROOT = Path(__file__).resolve().parents[2]
PROVABLE = Turn(intent="withdrawal_issue", can_prove=True)
SIGNED_IN = Turn(intent="withdrawal_issue", uid="u1")
PERSONS = sorted(label for label, flow in FLOWS.items() if flow.person)
SENTENCES = {label: flow.sentence for label, flow in FLOWS.items() if flow.sentence}
ARTICLES = {label: flow.article for label, flow in FLOWS.items() if flow.article}
LOOK_UPS = {label: flow.look_up for label, flow in FLOWS.items() if flow.look_up}


def about(label: str, *, calm: bool = False) -> list[str]:
    """A mail is asked for all facts at once."""
    return ["say:facts_wanted"] if flow_of(label).facts and not calm else []


def after(awaiting: str | None, matter: str | None = None, misunderstood: int = 0) -> Memory:
    return Memory(awaiting=awaiting, matter=matter, misunderstood=misunderstood)


@pytest.mark.parametrize("label", PERSONS)
def test_grave_matters_go_to_a_person_at_once(label: str) -> None:
    decision = decide("action_matter", Turn(intent=label))
    advice = [f"answer:{flow_of(label).advice}"] if flow_of(label).advice else []
    assert names(decision.commands) == [*advice, f"open_case:{label}", *about(label), "hand_to_person"]
    assert decision.memory.awaiting is None


@pytest.mark.parametrize("label", [label for label in PERSONS if flow_of(label).advice])
def test_what_to_do_at_once_is_told_once(label: str) -> None:
    assert flow_of(label).advice in {path.name.split(".")[0] for path in (ROOT / "data" / "knowledge").glob("*.md")}
    decision = decide("action_matter", Turn(intent=label, case_open=True))
    assert names(decision.commands) == [f"open_case:{label}", *about(label), "hand_to_person"]


@pytest.mark.parametrize("label", [label for label in PERSONS if flow_of(label).advice])
def test_a_calm_question_about_a_grave_matter_is_answered_first(label: str) -> None:
    decision = decide("action_matter", Turn(intent=label, calm=True))
    assert names(decision.commands)[-1] == "say:did_this_help"
    assert decision.memory.awaiting == "helped"


@pytest.mark.parametrize("label", sorted(CLASSES))
def test_an_escalated_message_of_any_class_becomes_a_case_with_a_person(label: str) -> None:
    turn = Turn(intent=label, escalate=True, severity="high", reasons=("money_missing",))
    commands = decide("action_matter", turn).commands
    assert opened(commands) == OpenCase(label=label, severity="high", reasons=("money_missing",))
    assert hand(commands).reasons == ("money_missing",)


@pytest.mark.parametrize(("label", "sentence"), sorted(SENTENCES.items()))
def test_what_is_no_matter_of_ours_gets_one_sentence(label: str, sentence: str) -> None:
    assert decide("action_matter", Turn(intent=label)).commands == (Say(key=sentence),)


@pytest.mark.parametrize("label", sorted(OTHERS))
def test_even_outside_our_matters_an_escalation_opens_a_case(label: str) -> None:
    turn = Turn(intent=label, escalate=True, reasons=("legal",))
    assert names(decide("action_matter", turn).commands) == ["open_case:unclassified", "hand_to_person"]


@pytest.mark.parametrize("label", sorted(CLASSES - set(PERSONS) - SENTENCES.keys()))
def test_every_other_class_is_answered_or_offered_a_case_with_a_way_to_a_person(label: str) -> None:
    decision = decide("action_matter", Turn(intent=label))
    last = decision.commands[-1]
    assert isinstance(last, Say)
    assert last.buttons == CHECK
    assert decision.memory.matter == label
    assert (Say(key="prove_hint") in decide("action_matter", Turn(intent=label, can_prove=True)).commands) == (
        label in LOOK_UPS
    )
    if label in ARTICLES:
        assert decision.commands[0] == Answer(article=ARTICLES[label])
        assert decision.memory.awaiting == "helped"
    else:
        assert last.key == "offer_case"
        assert decision.memory.awaiting == "open_case"
    assert (Say(key="sign_in_hint") in decision.commands) == (label in LOOK_UPS)


@pytest.mark.parametrize(
    ("turn", "offered"),
    [
        (PROVABLE, True),
        (replace(PROVABLE, intent="kyc_verification"), True),
        (replace(PROVABLE, uid="u1"), False),
        (replace(PROVABLE, can_prove=False), False),
        (replace(PROVABLE, intent="fees_limits"), False),
        (replace(PROVABLE, articles={"withdrawal_issue": "how_to_withdraw"}), False),
    ],
)
def test_proof_is_offered_where_the_account_would_help_and_only_there(turn: Turn, offered: bool) -> None:
    found = Finding(what="withdrawal", status="in_review") if turn.uid else None
    commands = decide("action_matter", turn, found).commands
    last = commands[-1]
    assert isinstance(last, Say)
    assert ("prove" in last.buttons) == offered
    assert (Say(key="prove_hint") in commands) == offered


@pytest.mark.parametrize(
    ("turn", "wanted"),
    [
        (SIGNED_IN, "withdrawal"),
        (replace(SIGNED_IN, intent="deposit_issue"), "deposit"),
        (replace(SIGNED_IN, intent="kyc_verification"), "kyc"),
        (replace(SIGNED_IN, uid=None), None),
        (replace(SIGNED_IN, escalate=True), "withdrawal"),
        (replace(SIGNED_IN, intent="account_frozen_risk_control"), "restriction"),
        (replace(SIGNED_IN, hand_over=True), None),
        (replace(SIGNED_IN, intent="fees_limits"), None),
    ],
)
def test_records_are_read_only_for_a_proven_user_and_only_when_they_matter(turn: Turn, wanted: str | None) -> None:
    assert wanted_look_up("action_matter", turn) == wanted
    assert wanted_look_up("action_yes", turn) is None


def test_what_the_records_say_is_said_and_asked_whether_it_helped() -> None:
    found = Finding(what="withdrawal", status="in_review", values={"amount": "5"}, facts={"withdrawal_id": "w1"})
    decision = decide("action_matter", SIGNED_IN, found)
    said, check = decision.commands
    assert said == Say(key="withdrawal_status_in_review", values={"amount": "5"})
    assert check == Say(key="did_this_help", buttons=CHECK)
    assert (decision.memory.awaiting, decision.memory.matter) == ("helped", "withdrawal_issue")
    assert decision.memory.tried == ("records:withdrawal_in_review",)


def test_a_failed_withdrawal_is_told_and_handed_over_with_its_facts() -> None:
    found = Finding(what="withdrawal", status="failed", values={"amount": "5"}, facts={"withdrawal_id": "w1"})
    decision = decide("action_matter", replace(SIGNED_IN, entities={"asset": ("BTC",)}), found)
    said = ["say:withdrawal_status_failed", "open_case:withdrawal_issue", "say:facts_wanted", "hand_to_person"]
    assert names(decision.commands) == said
    assert opened(decision.commands).facts == {"asset": "BTC", "withdrawal_id": "w1"}
    assert opened(decision.commands).reasons == ("withdrawal_failed",)


def test_a_status_nobody_knows_is_not_told_to_the_user() -> None:
    decision = decide("action_matter", SIGNED_IN, Finding(what="withdrawal", status="unknown"))
    assert names(decision.commands) == ["open_case:withdrawal_issue", "say:facts_wanted", "hand_to_person"]


def test_no_record_at_all_offers_a_case() -> None:
    decision = decide("action_matter", SIGNED_IN, Finding(what="withdrawal", status="none"))
    assert names(decision.commands) == ["say:withdrawal_status_none", "say:offer_case"]
    assert decision.memory.awaiting == "open_case"


def test_a_back_office_that_is_down_is_said_and_the_matter_becomes_a_case() -> None:
    decision = decide("action_matter", SIGNED_IN, Unavailable())
    said = ["say:backoffice_down", "open_case:withdrawal_issue", "say:facts_wanted", "hand_to_person"]
    assert names(decision.commands) == said


def test_records_that_cannot_be_read_are_a_persons_to_read() -> None:
    decision = decide("action_matter", SIGNED_IN, Unreadable())
    assert names(decision.commands) == ["open_case:withdrawal_issue", "say:facts_wanted", "hand_to_person"]


@pytest.mark.parametrize(
    ("action", "memory", "wanted"),
    [
        ("action_yes", after("helped", "fees_limits"), ["resolve", "say:tip_fees_limits"]),
        ("action_yes", after("helped", "support_quality"), ["resolve", "say:solved_tip"]),
        ("action_no", after("helped", "fees_limits"), ["open_case:fees_limits", "say:facts_wanted", "hand_to_person"]),
        (
            "action_yes",
            after("open_case", "app_technical"),
            ["open_case:app_technical", "say:facts_wanted", "hand_to_person"],
        ),
        ("action_no", after("open_case", "app_technical"), ["resolve", "say:no_case_opened"]),
        ("action_yes", Memory(), ["say:how_can_i_help"]),
        ("action_no", Memory(), ["say:how_can_i_help"]),
        ("action_yes", after(None, misunderstood=1), ["resolve", "say:never_mind"]),
        ("action_person", Memory(), ["hand_to_person"]),
        ("action_person", after(None, "deposit_issue"), ["open_case:deposit_issue", "hand_to_person"]),
        ("action_status", Memory(), ["tell_case_status"]),
        ("action_never_mind", after("open_case", "fees_limits"), ["resolve", "say:never_mind"]),
        ("action_greet", Memory(), ["say:greeting"]),
        ("action_greet", after("helped", "fees_limits"), ["say:did_this_help"]),
        ("action_thanks", Memory(), ["say:welcome"]),
        ("action_skip", Memory(), ["say:how_can_i_help"]),
        ("action_skip", after("open_case", "fees_limits"), ["say:offer_case"]),
        ("action_file", Memory(), ["say:case.file_received"]),
        ("action_file", after("helped", "fees_limits"), ["say:file_taken", "say:did_this_help"]),
    ],
)
def test_dialogue_acts(action: str, memory: Memory, wanted: list[str]) -> None:
    turn = Turn(intent=action.removeprefix("action_"), memory=memory)
    assert names(decide(action, turn).commands) == wanted


def test_a_greeting_in_a_loud_voice_is_a_greeting() -> None:
    assert names(decide("action_greet", Turn(intent="greet", hand_over=True)).commands) == ["say:greeting"]


def test_never_mind_leaves_an_open_case_open_and_says_so() -> None:
    turn = Turn(intent="never_mind", case_open=True, case_number="RD-7KWHM-3XTPA")
    said = Say(key="case_stays", values={"number": "RD-7KWHM-3XTPA"})
    assert decide("action_never_mind", turn).commands == (said,)


def test_a_file_for_an_open_case_joins_it() -> None:
    commands = decide("action_file", Turn(intent="file", case_open=True)).commands
    assert opened(commands) == OpenCase(label="unclassified", reasons=("file",))
    assert isinstance(commands[-1], HandIfSilent)


@pytest.mark.parametrize("action", sorted(STEPS.keys() - {"action_greet"}))
def test_hand_over_leads_to_a_person_whatever_the_intent(action: str) -> None:
    intent = "fees_limits" if action == "action_matter" else action.removeprefix("action_")
    decision = decide(action, Turn(intent=intent, hand_over=True, reasons=("anger",)))
    assert hand(decision.commands).reasons[0] == "anger"


def test_a_greeting_with_a_theft_in_it_is_a_theft() -> None:
    turn = Turn(intent="greet", escalate=True, severity="critical", reasons=("theft",))
    commands = decide("action_greet", turn).commands
    assert opened(commands) == OpenCase(label="unclassified", severity="critical", reasons=("theft",))
    assert hand(commands).reasons == ("theft",)


@pytest.mark.parametrize("reason", sorted(AT_ONCE - UPSET))
def test_where_somebody_may_lose_everything_no_question_comes_before_the_person(reason: str) -> None:
    turn = Turn(intent="deposit_issue", escalate=True, live=True, severity="high", reasons=(reason,))
    assert names(decide("action_matter", turn).commands) == ["open_case:deposit_issue", "hand_to_person"]


def test_a_pending_question_survives_a_greeting_a_reluctant_thank_you_and_a_look_at_the_case() -> None:
    for action in ("action_greet", "action_thanks", "action_status"):
        turn = Turn(intent="x", text="thanks but it is still not there", memory=after("helped", "fees_limits"))
        decision = decide(action, turn)
        assert (decision.memory.awaiting, decision.memory.matter) == ("helped", "fees_limits")


def test_the_first_misunderstanding_offers_the_likely_classes_and_a_person() -> None:
    ranking = ("greet", "deposit_issue", "spam", "withdrawal_issue", "fees_limits", "app_technical")
    decision = decide("action_misunderstood", Turn(intent="nlu_fallback", ranking=ranking))
    buttons = ("class:deposit_issue", "class:withdrawal_issue", "class:fees_limits", "person")
    assert decision.commands == (Say(key="not_understood", buttons=buttons),)
    assert decision.memory.misunderstood == 1


def test_the_second_misunderstanding_in_a_row_leads_to_a_person() -> None:
    decision = decide("action_misunderstood", Turn(intent="nlu_fallback", memory=after(None, misunderstood=1)))
    assert names(decision.commands) == ["open_case:unclassified", "hand_to_person"]
    assert decision.memory.misunderstood == 0


@pytest.mark.parametrize("action", ["action_matter", "action_greet", "action_thanks", "action_status", "action_person"])
def test_anything_understood_starts_the_count_again(action: str) -> None:
    decision = decide(action, Turn(intent="fees_limits", memory=after(None, misunderstood=1)))
    assert decision.memory.misunderstood == 0


def test_words_that_nobody_understands_join_the_case_that_is_open() -> None:
    decision = decide("action_misunderstood", Turn(intent="nlu_fallback", case_open=True))
    assert names(decision.commands) == ["open_case:unclassified"]
    assert decision.memory.misunderstood == 1


def test_a_case_is_not_offered_where_one_is_open() -> None:
    turn = replace(SIGNED_IN, case_open=True)
    decision = decide("action_matter", turn, Finding(what="withdrawal", status="none"))
    assert names(decision.commands) == ["say:withdrawal_status_none", "open_case:withdrawal_issue"]


def test_a_class_without_an_article_is_offered_a_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FLOWS, "fees_limits", replace(flow_of("fees_limits"), article=None))
    decision = decide("action_matter", Turn(intent="fees_limits"))
    assert names(decision.commands) == ["say:offer_case"]
    assert (decision.memory.awaiting, decision.memory.matter) == ("open_case", "fees_limits")


def test_the_article_that_the_desk_finds_better_is_taken() -> None:
    turn = Turn(intent="login_2fa_recovery", articles={"login_2fa_recovery": "reset_authenticator", "fees_limits": "x"})
    assert decide("action_matter", turn).commands[0] == Answer(article="reset_authenticator")


def test_how_to_is_not_answered_from_the_records() -> None:
    turn = replace(SIGNED_IN, articles={"withdrawal_issue": "how_to_withdraw"})
    assert wanted_look_up("action_matter", turn) is None
    assert names(decide("action_matter", turn).commands) == ["answer:how_to_withdraw", "say:did_this_help"]


def test_an_unknown_action_is_a_bug_and_says_so() -> None:
    with pytest.raises(KeyError):
        decide("action_dance", Turn(intent="greet"))


def test_every_class_has_a_flow() -> None:
    assert frozenset(COMPLAINTS) == CLASSES
    assert FLOWS.keys() == CLASSES | set(OTHERS)


def test_the_articles_are_the_first_of_their_class() -> None:
    folder = ROOT / "data" / "knowledge"
    knowledge = Knowledge.load(folder, tomllib.loads((folder / "figures.toml").read_text(encoding="utf-8")))
    assert {label: knowledge.for_class(label)[0] for label in ARTICLES} == ARTICLES
    assert set(knowledge.ids()) >= HOW_TO


def test_the_actions_are_those_of_the_domain() -> None:
    domain = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))
    assert set(domain["actions"]) == STEPS.keys()


def test_commands_survive_the_wire() -> None:
    from actions.commands import from_json

    for command in (Say(key="x", buttons=("yes",)), Resolve(), TellCaseStatus(), HandToPerson(reasons=("a",))):
        assert from_json(command.to_json()) == command


def test_rules_name_every_intent_of_the_domain_once() -> None:
    domain = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))
    rules = (ROOT / "data/rules/rules.yml").read_text(encoding="utf-8")
    ruled = re.findall(r'intent: "?(\w+)"?', rules)
    assert sorted(ruled) == sorted(domain["intents"])
