"""The table of what the bot does, class by class and answer by answer."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from actions.commands import Answer, HandToPerson, OpenCase, Resolve, Say, TellCaseStatus
from actions.decide import CHECK, STEPS, decide, wanted_look_up
from actions.lookup import Finding, Unavailable, Unreadable
from actions.matters import ADVICE, ALWAYS_PERSON, ARTICLES, CLASSES, HOW_TO, LOOK_UPS, SENTENCES
from actions.turn import Turn
from bot.understanding.knowledge import Knowledge
from bot.understanding.labels import COMPLAINTS, OTHERS
from tests.actions.short import names

ROOT = Path(__file__).resolve().parents[2]
PROVABLE = Turn(intent="withdrawal_issue", can_prove=True)
SIGNED_IN = Turn(intent="withdrawal_issue", uid="u1")


@pytest.mark.parametrize("label", sorted(ALWAYS_PERSON))
def test_grave_matters_go_to_a_person_at_once(label: str) -> None:
    decision = decide("action_matter", Turn(intent=label))
    advice = [f"answer:{ADVICE[label]}"] if label in ADVICE else []
    assert names(decision.commands) == [*advice, f"open_case:{label}", "hand_to_person"]
    assert decision.awaiting is None


@pytest.mark.parametrize("label", sorted(ADVICE))
def test_what_to_do_at_once_is_told_once(label: str) -> None:
    assert ADVICE[label] in {path.name.split(".")[0] for path in (ROOT / "data" / "knowledge").glob("*.md")}
    decision = decide("action_matter", Turn(intent=label, case_open=True))
    assert names(decision.commands) == [f"open_case:{label}", "hand_to_person"]


@pytest.mark.parametrize("label", sorted(CLASSES))
def test_an_escalated_message_of_any_class_becomes_a_case_with_a_person(label: str) -> None:
    turn = Turn(intent=label, escalate=True, severity="high", reasons=("money_missing",), uid="u1")
    assert wanted_look_up("action_matter", turn) is None
    opened, hand = decide("action_matter", turn).commands
    assert opened == OpenCase(label=label, severity="high", reasons=("money_missing",))
    assert hand == HandToPerson(reasons=("money_missing",))


@pytest.mark.parametrize(("label", "sentence"), sorted(SENTENCES.items()))
def test_what_is_no_matter_of_ours_gets_one_sentence(label: str, sentence: str) -> None:
    assert decide("action_matter", Turn(intent=label)).commands == (Say(key=sentence),)


@pytest.mark.parametrize("label", sorted(OTHERS))
def test_even_outside_our_matters_an_escalation_opens_a_case(label: str) -> None:
    turn = Turn(intent=label, escalate=True, reasons=("legal",))
    assert names(decide("action_matter", turn).commands) == ["open_case:unclassified", "hand_to_person"]


@pytest.mark.parametrize("label", sorted(CLASSES - ALWAYS_PERSON - SENTENCES.keys()))
def test_every_other_class_is_answered_or_offered_a_case_with_a_way_to_a_person(label: str) -> None:
    decision = decide("action_matter", Turn(intent=label))
    last = decision.commands[-1]
    assert isinstance(last, Say)
    assert last.buttons == CHECK
    assert decision.matter == label
    assert (Say(key="prove_hint") in decide("action_matter", Turn(intent=label, can_prove=True)).commands) == (
        label in LOOK_UPS
    )
    if label in ARTICLES:
        assert decision.commands[0] == Answer(article=ARTICLES[label])
        assert decision.awaiting == "helped"
    else:
        assert last.key == "offer_case"
        assert decision.awaiting == "open_case"
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
        (replace(SIGNED_IN, escalate=True), None),
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
    assert (decision.awaiting, decision.matter) == ("helped", "withdrawal_issue")


def test_a_failed_withdrawal_is_told_and_handed_over_with_its_facts() -> None:
    found = Finding(what="withdrawal", status="failed", values={"amount": "5"}, facts={"withdrawal_id": "w1"})
    decision = decide("action_matter", replace(SIGNED_IN, entities={"asset": ("BTC",)}), found)
    assert names(decision.commands) == ["say:withdrawal_status_failed", "open_case:withdrawal_issue", "hand_to_person"]
    opened = decision.commands[1]
    assert isinstance(opened, OpenCase)
    assert opened.facts == {"asset": "BTC", "withdrawal_id": "w1"}
    assert opened.reasons == ("withdrawal_failed",)


def test_a_status_nobody_knows_is_not_told_to_the_user() -> None:
    decision = decide("action_matter", SIGNED_IN, Finding(what="withdrawal", status="unknown"))
    assert names(decision.commands) == ["open_case:withdrawal_issue", "hand_to_person"]


def test_no_record_at_all_offers_a_case() -> None:
    decision = decide("action_matter", SIGNED_IN, Finding(what="withdrawal", status="none"))
    assert names(decision.commands) == ["say:withdrawal_status_none", "say:offer_case"]
    assert decision.awaiting == "open_case"


def test_a_back_office_that_is_down_is_said_and_the_matter_becomes_a_case() -> None:
    decision = decide("action_matter", SIGNED_IN, Unavailable())
    assert names(decision.commands) == ["say:backoffice_down", "open_case:withdrawal_issue"]


def test_records_that_cannot_be_read_are_a_persons_to_read() -> None:
    decision = decide("action_matter", SIGNED_IN, Unreadable())
    assert names(decision.commands) == ["open_case:withdrawal_issue", "hand_to_person"]


@pytest.mark.parametrize(
    ("action", "turn", "wanted"),
    [
        ("action_yes", Turn(intent="yes", awaiting="helped", matter="fees_limits"), ["resolve", "say:solved_tip"]),
        (
            "action_no",
            Turn(intent="no", awaiting="helped", matter="fees_limits"),
            ["open_case:fees_limits", "hand_to_person"],
        ),
        (
            "action_yes",
            Turn(intent="yes", awaiting="open_case", matter="app_technical"),
            ["open_case:app_technical", "hand_to_person"],
        ),
        ("action_no", Turn(intent="no", awaiting="open_case", matter="app_technical"), ["say:no_case_opened"]),
        ("action_yes", Turn(intent="yes"), ["say:how_can_i_help"]),
        ("action_no", Turn(intent="no"), ["say:how_can_i_help"]),
        ("action_person", Turn(intent="person"), ["hand_to_person"]),
        (
            "action_person",
            Turn(intent="person", matter="deposit_issue"),
            ["open_case:deposit_issue", "hand_to_person"],
        ),
        ("action_status", Turn(intent="status"), ["tell_case_status"]),
        ("action_never_mind", Turn(intent="never_mind", awaiting="open_case", matter="spam"), ["say:never_mind"]),
        ("action_greet", Turn(intent="greet"), ["say:greeting"]),
        ("action_greet", Turn(intent="greet", hand_over=True), ["say:greeting"]),
        ("action_thanks", Turn(intent="thanks"), ["say:welcome"]),
    ],
)
def test_dialogue_acts(action: str, turn: Turn, wanted: list[str]) -> None:
    assert names(decide(action, turn).commands) == wanted


@pytest.mark.parametrize("action", sorted(STEPS.keys() - {"action_greet"}))
def test_hand_over_leads_to_a_person_whatever_the_intent(action: str) -> None:
    intent = "fees_limits" if action == "action_matter" else action.removeprefix("action_")
    decision = decide(action, Turn(intent=intent, hand_over=True, reasons=("anger",)))
    hand = decision.commands[-1]
    assert isinstance(hand, HandToPerson)
    assert hand.reasons[0] == "anger"


def test_a_greeting_with_a_theft_in_it_is_a_theft() -> None:
    turn = Turn(intent="greet", escalate=True, severity="critical", reasons=("theft",))
    opened, hand = decide("action_greet", turn).commands
    assert opened == OpenCase(label="unclassified", severity="critical", reasons=("theft",))
    assert hand == HandToPerson(reasons=("theft",))


def test_a_pending_question_survives_a_greeting_a_thank_you_and_a_look_at_the_case() -> None:
    for action in ("action_greet", "action_thanks", "action_status"):
        decision = decide(action, Turn(intent="x", awaiting="helped", matter="fees_limits"))
        assert (decision.awaiting, decision.matter) == ("helped", "fees_limits")


def test_the_first_misunderstanding_offers_the_likely_classes_and_a_person() -> None:
    ranking = ("greet", "deposit_issue", "spam", "withdrawal_issue", "fees_limits", "app_technical")
    decision = decide("action_misunderstood", Turn(intent="nlu_fallback", ranking=ranking))
    buttons = ("class:deposit_issue", "class:withdrawal_issue", "class:fees_limits", "person")
    assert decision.commands == (Say(key="not_understood", buttons=buttons),)
    assert decision.misunderstood == 1


def test_the_second_misunderstanding_in_a_row_leads_to_a_person() -> None:
    decision = decide("action_misunderstood", Turn(intent="nlu_fallback", misunderstood=1))
    assert names(decision.commands) == ["open_case:unclassified", "hand_to_person"]
    assert decision.misunderstood == 0


@pytest.mark.parametrize("action", sorted(STEPS.keys() - {"action_misunderstood"}))
def test_anything_understood_starts_the_count_again(action: str) -> None:
    assert decide(action, Turn(intent="fees_limits", misunderstood=1)).misunderstood == 0


def test_words_that_nobody_understands_join_the_case_that_is_open() -> None:
    decision = decide("action_misunderstood", Turn(intent="nlu_fallback", case_open=True))
    assert names(decision.commands) == ["open_case:unclassified"]
    assert decision.misunderstood == 0


def test_a_case_is_not_offered_where_one_is_open() -> None:
    turn = replace(SIGNED_IN, case_open=True)
    decision = decide("action_matter", turn, Finding(what="withdrawal", status="none"))
    assert names(decision.commands) == ["say:withdrawal_status_none", "open_case:withdrawal_issue"]


def test_a_class_without_an_article_is_offered_a_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actions.decide.ARTICLES", {})
    decision = decide("action_matter", Turn(intent="fees_limits"))
    assert names(decision.commands) == ["say:offer_case"]
    assert (decision.awaiting, decision.matter) == ("open_case", "fees_limits")


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


def test_the_tables_speak_of_the_classes_that_exist() -> None:
    assert frozenset(COMPLAINTS) == CLASSES
    assert ALWAYS_PERSON <= CLASSES
    assert LOOK_UPS.keys() | ARTICLES.keys() <= CLASSES
    assert SENTENCES.keys() <= CLASSES | set(OTHERS)


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
