"""Whole conversations with the pure part of the bot, in both languages: the form and what comes between."""

from __future__ import annotations

from typing import Any

import pytest

from actions.lookup import Finding
from actions.memory import Memory
from tests.actions.short import hand, opened, waits
from tests.actions.talk import Talk

LANGUAGES = ["en", "zh"]
HASH = "0x" + "3f9a12" * 10 + "c07d"
MISSING = {"en": "I deposited 500 USDT three days ago and it has not arrived", "zh": "我充值了500 USDT，三天了还没到账"}
WORDS: dict[str, dict[str, str]] = {
    "wrong": {"en": "no, it was ERC20", "zh": "不是，应该是ERC20"},
    "both": {"en": "not TRC20 but ERC20", "zh": "不是TRC20，是ERC20"},
    "fees": {"en": "how much are your fees?", "zh": "手续费是多少？"},
    "frozen": {"en": "my account cannot be used any more", "zh": "我的账户也用不了了"},
    "call": {"en": "hello?", "zh": "人呢"},
    "unknown": {"en": "I don't know", "zh": "不知道"},
    "person": {"en": "a person please", "zh": "转人工"},
    "lost": {"en": "purple monkey", "zh": "紫色猴子"},
    "police": {"en": "I will go to the police", "zh": "我要报警了"},
    "days": {"en": "it has been three days now", "zh": "已经三天了"},
    "leave": {"en": "never mind", "zh": "算了"},
}


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def asked_for_network(language: str) -> Talk:
    """A chat whose case is open, and which has just been asked for the network."""
    talk = Talk(language)
    begun = talk.say(MISSING[language], "deposit_issue")
    assert begun == ["open_case:deposit_issue", "say:form_begins", "say:ask_network"]
    return talk


def test_the_case_is_open_before_the_first_question_and_each_answer_goes_into_it(language: str) -> None:
    talk = asked_for_network(language)
    assert talk.facts["amount"] == "500 USDT"
    assert talk.say("TRC20", "listing_delisting_network") == ["open_case:deposit_issue", "say:ask_tx_hash"]
    assert opened(talk.commands).quiet
    assert talk.say(HASH, "nlu_fallback") == ["open_case:deposit_issue", "say:form_done", "hand_to_person"]
    assert {"asset": "USDT", "network": "TRC20", "tx_hash": HASH}.items() <= talk.facts.items()
    brief = hand(talk.commands).brief
    assert (brief["class"], brief["facts"], brief["began"]) == ("deposit_issue", talk.facts, 1)
    assert hand(talk.commands).reasons == ("money_missing",)


def test_until_a_person_has_it_every_answer_renews_the_wait_for_silence(language: str) -> None:
    talk = asked_for_network(language)
    assert waits(talk.commands).reasons == ("money_missing",)
    talk.say("TRC20", "nlu_fallback")
    assert waits(talk.commands).brief["facts"]["network"] == "TRC20"


@pytest.mark.parametrize("way", ["wrong", "both"])
def test_a_correction_is_acknowledged_and_the_question_comes_again(language: str, way: str) -> None:
    talk = asked_for_network(language)
    talk.say("TRC20", "nlu_fallback")
    said = talk.say(WORDS[way][language], "no")
    assert said == ["open_case:deposit_issue", "say:noted", "say:ask_tx_hash"]
    assert talk.facts["network"] == "ERC20"


def test_a_correction_of_what_was_not_asked_for(language: str) -> None:
    talk = asked_for_network(language)
    text = {"en": "sorry, I meant 800 USDT", "zh": "说错了，是800 USDT"}[language]
    assert talk.say(text, "nlu_fallback") == ["open_case:deposit_issue", "say:noted", "say:ask_network"]
    assert talk.facts["amount"] == "800 USDT"


def test_a_correction_together_with_the_answer(language: str) -> None:
    talk = asked_for_network(language)
    text = {"en": "TRC20, and actually it was 800 USDT", "zh": "TRC20，其实是800 USDT"}[language]
    assert talk.say(text, "deposit_issue") == ["open_case:deposit_issue", "say:noted", "say:ask_tx_hash"]
    assert (talk.facts["network"], talk.facts["amount"]) == ("TRC20", "800 USDT")


def test_a_question_about_something_else_is_answered_and_the_form_goes_on(language: str) -> None:
    talk = asked_for_network(language)
    assert talk.say(WORDS["fees"][language], "fees_limits") == ["answer:fees", "say:ask_network"]
    assert talk.memory.matter == "deposit_issue"
    assert talk.say("TRC20", "nlu_fallback")[-1] == "say:ask_tx_hash"


def test_another_complaint_in_the_middle_is_noted_for_the_person(language: str) -> None:
    talk = asked_for_network(language)
    said = talk.say(WORDS["frozen"][language], "app_technical")
    assert said == ["open_case:deposit_issue", "say:also_for_person", "say:ask_network"]
    assert talk.facts["also"] == "app_technical"
    talk.say(WORDS["person"][language], "person")
    assert hand(talk.commands).brief["also"] == ["app_technical"]


def test_hello_repeats_the_question_and_a_second_one_brings_a_person(language: str) -> None:
    talk = asked_for_network(language)
    assert talk.say(WORDS["call"][language], "person") == ["say:still_here", "say:ask_network"]
    assert talk.say(WORDS["call"][language], "greet")[-1] == "hand_to_person"
    assert "person_asked" in hand(talk.commands).reasons


def test_a_greeting_repeats_the_question_as_often_as_it_comes(language: str) -> None:
    talk = asked_for_network(language)
    for _ in range(3):
        assert talk.say({"en": "hello", "zh": "你好"}[language], "greet") == ["say:ask_network"]


@pytest.mark.parametrize("way", ["words", "button", "no"])
def test_what_the_user_does_not_know_is_skipped(language: str, way: str) -> None:
    talk = asked_for_network(language)
    no = {"en": "no", "zh": "没有"}[language]
    text, intent = {"words": (WORDS["unknown"][language], "nlu_fallback"), "button": ("", "skip"), "no": (no, "no")}[
        way
    ]
    assert talk.say(text, intent) == ["say:ask_tx_hash"]
    assert talk.say(text, intent) == ["say:form_done", "hand_to_person"]
    assert "network" not in talk.facts


def test_what_is_not_understood_twice_brings_a_person_with_all_that_is_known(language: str) -> None:
    talk = Talk(language)
    talk.say(
        {"en": "my deposit failed and was never returned, three days", "zh": "充值三天了没到账"}[language],
        "deposit_issue",
    )
    talk.say("USDT", "nlu_fallback")
    talk.say("TRC20", "nlu_fallback")
    assert talk.say(WORDS["lost"][language], "nlu_fallback") == ["say:not_found_in_it", "say:ask_amount"]
    assert talk.say(WORDS["lost"][language], "nlu_fallback")[-1] == "hand_to_person"
    assert hand(talk.commands).reasons[0] == "misunderstood_twice"
    assert hand(talk.commands).brief["facts"]["network"] == "TRC20"


def test_an_answer_without_the_thing_asked_for_is_asked_once_more_and_then_let_be(language: str) -> None:
    talk = asked_for_network(language)
    talk.say("TRC20", "nlu_fallback")
    vague = {"en": "the deposit of yesterday", "zh": "昨天充值的那笔"}[language]
    assert talk.say(vague, "deposit_issue") == ["say:not_found_in_it", "say:ask_tx_hash"]
    assert talk.say(vague, "deposit_issue") == ["say:form_done", "hand_to_person"]


def test_never_mind_ends_the_questions_and_the_case_stays(language: str) -> None:
    talk = asked_for_network(language)
    assert talk.say(WORDS["leave"][language], "never_mind") == ["say:form_left"]
    assert talk.memory.awaiting is None
    assert waits(talk.commands).reasons == ("money_missing",)
    talk.say(WORDS["fees"][language], "fees_limits")
    assert waits(talk.commands).reasons == ("money_missing",)


@pytest.mark.parametrize("way", ["person", "police"])
def test_whoever_wants_a_person_gets_one_in_the_middle_of_a_form(language: str, way: str) -> None:
    talk = asked_for_network(language)
    said = talk.say(WORDS[way][language], "person" if way == "person" else "deposit_issue")
    assert said == ["open_case:deposit_issue", "hand_to_person"]
    assert opened(talk.commands).quiet


def test_a_file_is_taken_and_what_has_to_be_typed_is_asked_for_again(language: str) -> None:
    talk = asked_for_network(language)
    assert talk.press("file") == ["open_case:deposit_issue", "say:file_taken", "say:ask_network"]


def test_a_picture_answers_what_can_be_read_from_it(language: str) -> None:
    talk = Talk(language)
    text = {"en": "my account is frozen, since Monday", "zh": "账户被冻结了，昨天开始的"}[language]
    assert talk.say(text, "account_frozen_risk_control")[-1] == "say:ask_notice"
    said = talk.press("file")
    assert said == ["open_case:account_frozen_risk_control", "say:file_taken", "say:form_done", "hand_to_person"]
    assert talk.facts["notice"] == "(file)"


def test_a_picture_of_what_should_be_typed_is_let_be_the_second_time(language: str) -> None:
    talk = asked_for_network(language)
    talk.press("file")
    assert talk.press("file") == ["open_case:deposit_issue", "say:file_taken", "say:ask_tx_hash"]


def test_the_person_hears_why_the_case_was_opened_whatever_ended_the_questions(language: str) -> None:
    talk = asked_for_network(language)
    talk.say(WORDS["person"][language], "person")
    assert hand(talk.commands).reasons == ("person_asked", "money_missing")


def test_thanks_and_the_state_of_the_case_do_not_end_the_form(language: str) -> None:
    talk = asked_for_network(language)
    assert talk.say({"en": "thanks", "zh": "谢谢"}[language], "thanks") == ["say:welcome", "say:ask_network"]
    status = {"en": "how is my case", "zh": "案件进展如何"}[language]
    assert talk.say(status, "status") == ["tell_case_status", "say:ask_network"]


def test_a_wish_for_a_language_is_answered_and_the_question_asked_in_it(language: str) -> None:
    talk = asked_for_network(language)
    assert talk.say("English please", "nlu_fallback", language_wish=True) == [
        "say:language_switched",
        "say:ask_network",
    ]
    fresh = Talk(language)
    assert fresh.say("中文", "nlu_fallback", language_wish=True) == ["say:language_switched", "say:how_can_i_help"]


def test_two_messages_of_one_matter_are_judged_together(language: str) -> None:
    talk = Talk(language)
    missing = {"en": "my deposit has not arrived", "zh": "我的充值没到账"}[language]
    assert talk.say(missing, "deposit_issue")[-1] == "say:did_this_help"
    said = talk.say(WORDS["days"][language], "nlu_fallback")
    assert said == ["open_case:deposit_issue", "say:form_begins", "say:ask_asset"]
    assert opened(talk.commands).reasons == ("money_missing",)
    assert opened(talk.commands).severity == "high"


def test_what_was_said_of_another_matter_does_not_count(language: str) -> None:
    talk = Talk(language)
    talk.say({"en": "my deposit has not arrived", "zh": "我的充值没到账"}[language], "deposit_issue")
    days = {"en": "how many trades can I make in three days", "zh": "三天内可以交易几次"}[language]
    assert talk.say(days, "fees_limits")[-1] == "say:did_this_help"


@pytest.mark.parametrize("back", [{"reopened": True}, {"epoch": 2}])
def test_a_matter_that_was_closed_or_given_back_is_not_handed_over_for_what_was_said_before(
    language: str, back: dict[str, Any]
) -> None:
    talk = Talk(language, epoch=0)
    talk.say({"en": "my deposit has not arrived", "zh": "我的充值没到账"}[language], "deposit_issue")
    said = talk.say(WORDS["days"][language], "nlu_fallback", **back)
    assert "hand_to_person" not in said
    assert not any(each.startswith("open_case") for each in said)


def test_a_form_survives_that_an_agent_gave_the_conversation_back(language: str) -> None:
    talk = asked_for_network(language)
    assert talk.say("TRC20", "nlu_fallback", epoch=2) == ["open_case:deposit_issue", "say:ask_tx_hash"]


def test_a_form_ends_when_its_case_was_settled_meanwhile(language: str) -> None:
    talk = asked_for_network(language)
    said = talk.say(WORDS["fees"][language], "fees_limits", reopened=True, case_open=False)
    assert said == ["answer:fees", "say:did_this_help"]


def test_what_was_asked_once_is_not_asked_again_for_the_same_matter(language: str) -> None:
    talk = asked_for_network(language)
    talk.say("TRC20", "nlu_fallback")
    talk.press("skip")
    talk.owner = "bot"
    said = talk.say(MISSING[language], "deposit_issue", epoch=2)
    assert said == ["open_case:deposit_issue", "hand_to_person"]


def test_several_complaints_are_treated_one_after_the_other(language: str) -> None:
    talk = Talk(language)
    text = {"en": "what are the fees, and how do I verify", "zh": "手续费多少，还有怎么认证"}[language]
    said = talk.say(text, "fees_limits", also=("kyc_verification", "app_technical"))
    assert said == ["answer:fees", "say:also_mentioned", "say:did_this_help"]
    yes = {"en": "yes", "zh": "是的"}[language]
    assert talk.say(yes, "yes") == ["say:next_matter", "answer:kyc_failed", "say:sign_in_hint", "say:did_this_help"]
    assert talk.say(yes, "yes") == ["say:next_matter", "answer:app_problems", "say:did_this_help"]
    assert talk.say(yes, "yes") == ["resolve", "say:tip_app_technical"]


def test_the_next_complaint_is_answered_from_the_records_too(language: str) -> None:
    talk = Talk(language, uid="u1")
    talk.say({"en": "fees and kyc", "zh": "手续费和认证"}[language], "fees_limits", also=("kyc_verification",))
    said = talk.say({"en": "yes", "zh": "是"}[language], "yes", Finding(what="kyc", status="pending"))
    assert said == ["say:next_matter", "say:kyc_status_pending", "say:did_this_help"]


def test_a_grave_complaint_comes_first_and_the_case_names_the_others(language: str) -> None:
    talk = Talk(language)
    text = {"en": "the fees are high and somebody emptied my account", "zh": "手续费太高，而且有人把我的币转走了"}[
        language
    ]
    said = talk.say(text, "fees_limits", also=("account_security_theft",))
    assert said[:2] == ["answer:account_hacked", "open_case:account_security_theft"]
    assert said[-2:] == ["say:also_for_person", "hand_to_person"]
    assert talk.facts["also"] == "fees_limits"
    assert hand(talk.commands).brief["also"] == ["fees_limits"]


def test_records_spare_the_questions(language: str) -> None:
    talk = Talk(language, uid="u1")
    facts = {"withdrawal_id": "w1", "status": "in_review", "amount": "500", "asset": "USDT", "tx_hash": ""}
    found = Finding(what="withdrawal", status="in_review", facts=facts)
    text = {"en": "my withdrawal has not arrived for three days", "zh": "提现三天了还没到账"}[language]
    said = talk.say(text, "withdrawal_issue", found)
    assert said == ["say:withdrawal_status_in_review", "open_case:withdrawal_issue", "hand_to_person"]
    assert talk.facts["withdrawal_id"] == "w1"
    assert "tx_hash" not in talk.facts


def test_a_corrected_fact_is_looked_up_again(language: str) -> None:
    talk = Talk(language, uid="u1")
    first = Finding(what="deposit", status="credited", facts={"amount": "500"})
    text = {"en": "did my 500 USDT arrive", "zh": "我的500 USDT充值到了没"}[language]
    assert talk.say(text, "deposit_issue", first) == ["say:deposit_status_credited", "say:did_this_help"]
    second = Finding(what="deposit", status="confirming")
    text = {"en": "no, it was 300 USDT", "zh": "不是，是300 USDT"}[language]
    assert talk.say(text, "no", second) == ["say:noted", "say:deposit_status_confirming", "say:did_this_help"]


def test_a_corrected_fact_without_records_is_noted_and_the_question_comes_again(language: str) -> None:
    talk = Talk(language)
    text = {"en": "I sent 500 USDT on TRC20, when is it there", "zh": "我用TRC20充了500 USDT，多久到"}[language]
    talk.say(text, "deposit_issue")
    assert talk.say(WORDS["wrong"][language], "no") == ["say:noted", "say:did_this_help"]


def test_an_incident_is_told_with_the_answer_where_it_may_be_the_cause(language: str) -> None:
    talk = Talk(language)
    text = {"en": "my deposit has not arrived", "zh": "我的充值没到账"}[language]
    assert "say:incident_running" in talk.say(text, "deposit_issue", incident="TRC20 is paused")
    fees = Talk(language)
    assert "say:incident_running" not in fees.say(WORDS["fees"][language], "fees_limits", incident="TRC20 is paused")


def test_by_mail_everything_is_asked_for_at_once(language: str) -> None:
    talk = Talk(language, live=False)
    said = talk.say(MISSING[language], "deposit_issue")
    assert said == ["open_case:deposit_issue", "say:facts_wanted", "hand_to_person"]


def test_an_angry_mail_is_asked_nothing(language: str) -> None:
    talk = Talk(language, live=False)
    text = {
        "en": "You are thieves!!! My deposit is missing for three days",
        "zh": "你们就是骗子！充值三天没到账，还钱！",
    }[language]
    said = talk.say(text, "deposit_issue", hand_over=True, reasons=("money_missing", "anger"), escalate=True)
    assert said == ["open_case:deposit_issue", "hand_to_person"]


def test_the_case_knows_facts_that_this_conversation_has_never_heard(language: str) -> None:
    talk = Talk(language, case_label="deposit_issue", case_facts={"network": "TRC20", "tx_hash": HASH})
    talk.case_open = True
    said = talk.say(MISSING[language], "deposit_issue")
    assert said == ["open_case:deposit_issue", "hand_to_person"]


def test_a_slot_of_an_older_version_does_not_break_the_turn() -> None:
    talk = Talk()
    talk.memory = Memory(awaiting="fact", asked="a fact of last year", matter="deposit_issue")
    assert talk.say("hello", "greet") == ["say:greeting"]


@pytest.mark.parametrize(
    ("text", "intent", "said"),
    [
        ("what do you need from me?", "nlu_fallback", ["say:why_asked", "say:ask_network"]),
        ("还需要我提供什么呢", "nlu_fallback", ["say:why_asked", "say:ask_network"]),
        ("😡", "nlu_fallback", ["say:not_found_in_it", "say:ask_network"]),
        ("我都说过了，你们自己看看记录就知道了呀", "not_a_complaint", ["say:not_found_in_it", "say:ask_network"]),
    ],
)
def test_what_is_no_answer_is_not_taken_for_one(text: str, intent: str, said: list[str]) -> None:
    talk = asked_for_network("zh" if "你" in text or "我" in text else "en")
    assert talk.say(text, intent) == said
    assert "network" not in talk.facts


def test_skip_is_no_goodbye(language: str) -> None:
    talk = asked_for_network(language)
    assert talk.say({"en": "skip", "zh": "略过"}[language], "never_mind") == ["say:ask_tx_hash"]


def test_a_form_that_was_left_for_a_person_goes_on_when_the_person_gives_it_back(language: str) -> None:
    talk = asked_for_network(language)
    assert talk.say({"en": "a person please", "zh": "转人工"}[language], "person")[-1] == "hand_to_person"
    talk.owner = "bot"
    assert talk.say(WORDS["call"][language], "greet", epoch=3) == ["say:still_here", "say:ask_network"]


def test_a_single_question_is_announced_as_one(language: str) -> None:
    talk = Talk(language)
    text = {"en": "The API signature is refused", "zh": "客服态度很差"}[language]
    label = {"en": "listing_delisting_network", "zh": "support_quality"}[language]
    said = talk.say(text, label, escalate=True, reasons=("repeated_failure",), entities={"network": ("SOLANA",)})
    assert "say:form_begins_one" in said


def test_what_is_wanted_of_an_account_is_not_asked_after_it_was_said(language: str) -> None:
    text = {"en": "I want you to delete all my personal data", "zh": "请把我的个人资料全部删除"}[language]
    said = Talk(language).say(text, "account_closure_privacy", escalate=True, reasons=("data_leak",))
    assert said == ["open_case:account_closure_privacy", "hand_to_person"]
