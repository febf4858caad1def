"""What people say besides their matter, in words that a classifier may not know: content, doubtful, vague, curious."""

from __future__ import annotations

from dataclasses import replace

import pytest

from actions.commands import OpenCase
from actions.decide import decide
from actions.matters import flow_of
from actions.memory import Memory
from actions.turn import Turn
from tests.actions.short import hand, names, opened


def after(awaiting: str | None, matter: str | None = None) -> Memory:
    return Memory(awaiting=awaiting, matter=matter)


@pytest.mark.parametrize(
    ("action", "intent", "text"),
    [
        ("action_thanks", "thanks", "ok thanks, that answers it"),
        ("action_thanks", "thanks", "好的，知道了，谢谢"),
        ("action_matter", "not_a_complaint", "great, that explains it"),
        ("action_matter", "not_a_complaint", "原來如此，懂了"),
    ],
)
def test_thanks_and_praise_after_an_answer_say_that_it_will_do(action: str, intent: str, text: str) -> None:
    decision = decide(action, Turn(intent=intent, text=text, confidence=0.4, memory=after("helped", "fees_limits")))
    assert names(decision.commands) == ["resolve", "say:tip_fees_limits"]
    first = replace(after("helped", "fees_limits"), later=("app_technical",))
    decision = decide(action, Turn(intent=intent, text=text, memory=first))
    assert names(decision.commands)[:2] == ["say:next_matter", "answer:app_problems"]


@pytest.mark.parametrize("intent", ["out_of_scope", "not_a_complaint"])
def test_what_is_only_guessed_to_be_none_of_our_business_counts_as_not_understood(intent: str) -> None:
    guess = Turn(intent=intent, confidence=0.15)
    decision = decide("action_matter", guess)
    assert names(decision.commands) == ["say:not_understood"]
    assert hand(decide("action_matter", replace(guess, memory=decision.memory)).commands)
    assert names(decide("action_matter", replace(guess, confidence=0.6)).commands) == [
        f"say:{flow_of(intent).sentence}"
    ]


@pytest.mark.parametrize("label", ["p2p_dispute", "support_quality"])
def test_a_question_about_the_way_is_no_case_where_a_person_owns_the_class(label: str) -> None:
    decision = decide("action_matter", Turn(intent=label, calm=True, live=True, articles={label: "an_article"}))
    assert names(decision.commands) == ["answer:an_article", "say:did_this_help"]


def test_who_is_only_likely_to_need_a_person_gets_the_answer_as_well() -> None:
    likely = Turn(intent="withdrawal_issue", escalate=True, reasons=("learned",), live=True)
    told = ["answer:withdrawal_pending", "open_case:withdrawal_issue", "say:form_begins", "say:ask_asset"]
    assert names(decide("action_matter", likely).commands) == told
    sure = replace(likely, reasons=("money_missing",))
    assert names(decide("action_matter", sure).commands) == told[1:]


def test_asking_for_the_case_does_not_open_its_questions_again() -> None:
    heard = Memory(matter="deposit_issue", features=("missing", "moved"), days=3.0)
    turn = Turn(intent="status", case_open=True, case_number="RD-7KWHM-3XTPA", live=True, memory=heard)
    assert names(decide("action_status", turn).commands) == ["tell_case_status"]


@pytest.mark.parametrize("text", ["Are you a bot?", "are you a real person or a robot", "你是机器人吗？", "您是真人吗"])
def test_who_asks_what_they_talk_to_hears_the_truth_and_what_stands_open(text: str) -> None:
    asked = Turn(intent="person", text=text, hand_over=True, reasons=("person_asked",))
    assert names(decide("action_person", asked).commands) == ["say:who_i_am"]
    form = Memory(awaiting="fact", asked="network", matter="deposit_issue")
    assert names(decide("action_person", replace(asked, memory=form)).commands) == ["say:who_i_am", "say:ask_network"]
    wish = replace(asked, text="are you a bot? get me a person")
    assert names(decide("action_person", wish).commands) == ["hand_to_person"]


@pytest.mark.parametrize("text", ["help", "I have a problem", "帮帮我", "我有个问题"])
def test_help_and_nothing_else_is_asked_what_it_is_about_and_then_a_person_asks(text: str) -> None:
    vague = Turn(intent="greet", text=text)
    decision = decide("action_greet", vague)
    assert names(decision.commands) == ["say:how_can_i_help"]
    assert hand(decide("action_greet", replace(vague, memory=decision.memory)).commands)
    assert names(decide("action_greet", replace(vague, text="Good morning!")).commands) == ["say:greeting"]


@pytest.mark.parametrize("text", ["that worked, thanks!", "okay got it", "懂了懂了"])
def test_a_yes_in_other_words_after_an_answer_needs_no_understanding(text: str) -> None:
    turn = Turn(intent="nlu_fallback", text=text, memory=after("helped", "fees_limits"))
    assert names(decide("action_misunderstood", turn).commands) == ["resolve", "say:tip_fees_limits"]


def test_reluctant_thanks_are_asked_again() -> None:
    for text in ("thanks, but it is still not there", "谢谢，可是还没到"):
        turn = Turn(intent="thanks", text=text, memory=after("helped", "fees_limits"))
        assert names(decide("action_thanks", turn).commands) == ["say:did_this_help"]
    easy = Turn(intent="thanks", text="没问题了，谢谢", memory=after("helped", "fees_limits"))
    assert names(decide("action_thanks", easy).commands)[0] == "resolve"


def test_what_is_only_likely_to_need_a_person_and_names_no_matter_opens_nothing() -> None:
    for action in ("action_misunderstood", "action_greet", "action_thanks"):
        turn = Turn(intent="x", text="hm", escalate=True, reasons=("learned",))
        assert not any(isinstance(command, OpenCase) for command in decide(action, turn).commands)


def test_a_case_number_and_no_more_asks_for_the_case() -> None:
    turn = Turn(intent="nlu_fallback", text="RD-7KWHM-3XTPA", entities={"case_number": ("RD-7KWHM-3XTPA",)})
    assert names(decide("action_misunderstood", turn).commands) == ["tell_case_status"]


@pytest.mark.parametrize(("text", "asks"), [("the campaign was Spring Invite", False), ("when is it paid?", True)])
def test_what_is_said_about_an_open_case_is_added_and_a_question_is_answered(text: str, asks: bool) -> None:
    label = "rewards_airdrop_earn"
    turn = Turn(intent=label, text=text, confidence=0.9, case_open=True, case_label=label, memory=after(None, label))
    wanted = ["answer:rewards", "say:did_this_help"] if asks else [f"open_case:{label}"]
    assert names(decide("action_matter", turn).commands) == wanted


def test_who_calls_for_a_person_because_the_bot_is_of_no_use_gets_one_for_their_matter() -> None:
    turn = Turn(
        intent="support_quality", hand_over=True, reasons=("person_asked",), memory=after("helped", "fees_limits")
    )
    assert opened(decide("action_matter", turn).commands).label == "fees_limits"


def test_a_small_correction_that_sounds_grave_is_a_correction() -> None:
    memory = after("helped", "withdrawal_issue").with_facts("withdrawal_issue", {"amount": "200 USDT"})
    likely = Turn(intent="withdrawal_issue", escalate=True, reasons=("learned",), memory=memory)
    turn = replace(likely, text="sorry, I meant 250 USDT", entities={"amount": ("250 USDT",)})
    assert names(decide("action_matter", turn).commands) == ["say:noted", "say:did_this_help"]


@pytest.mark.parametrize(
    ("reasons", "label"), [(("theft",), "account_security_theft"), (("money_missing",), "deposit_issue")]
)
def test_what_is_grave_and_not_clear_goes_to_a_person_as_what_it_most_likely_is(
    reasons: tuple[str, ...], label: str
) -> None:
    ranking = ("spam", "deposit_issue", "account_security_theft")
    turn = Turn(intent="nlu_fallback", text="x", escalate=True, reasons=reasons, ranking=ranking)
    assert opened(decide("action_misunderstood", turn).commands).label == label
