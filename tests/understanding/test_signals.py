"""When does the wording of a message ask for a case, for a person, or for neither?"""

from __future__ import annotations

import json
import re

import pytest

from bot.understanding import wording
from bot.understanding.language import Language, language_of
from bot.understanding.signals import HAND_OVER, RULES, Signals, rules_met, severity_of, signals_of
from bot.understanding.waiting import days_in


def signals(text: str) -> Signals:
    return signals_of(text, language_of(text))


ESCALATES = [
    ("theft", "My account was hacked and 2 BTC are gone", "我的账户被盗了，USDT全被转走"),
    ("theft", "There is a withdrawal I did not make", "这笔提现不是我本人操作的"),
    ("theft", "all my coins have vanished overnight", "一觉醒来币全没了"),
    ("scam", "I was scammed by a fake support agent", "我被假客服骗了"),
    ("scam", "They say pay a tax first to withdraw", "对方让我先交税才能提现"),
    ("data_leak", "my data was leaked by you", "你们泄露了我的个人信息，我的信息被泄露"),
    ("frozen", "my account has been frozen", "我的账户被冻结了"),
    ("frozen", "You locked my account for no reason", "无缘无故封我号，账号被封了"),
    ("frozen", "please unfreeze my account", "兩個月了還沒解凍我的帳戶"),
    ("money_missing", "My deposit of 500 USDT has not arrived for 3 days", "充值500USDT三天了还没到账"),
    ("money_missing", "withdrawal failed and the money was not returned", "提现失败了，钱也没退回来"),
    ("money_missing", "deposit not credited, I contacted support, no answer", "充值没到账，找客服没人理"),
    ("wrong_network_recovery", "I sent USDT on the wrong network", "我充错链了，求找回"),
    ("wrong_network_recovery", "forgot the memo when depositing XRP", "充XRP忘了填tag"),
    ("legal", "I will talk to my lawyer and sue you", "再不处理我就起诉你们"),
    ("legal", "I have reported it to the police", "我已经报警了"),
    ("regulator", "I'll report you to the FCA", "我会向监管部门投诉"),
    ("refund_dispute", "I want a full refund now", "要求立即退款"),
    ("p2p_order", "P2P seller took the payment and won't release", "p2p卖家收了钱不放币"),
    ("liquidation_dispute", "your wick liquidated me, the price never reached it", "插针爆仓，价格根本没到"),
    ("liquidation_dispute", "the app was down and I lost 3000", "你们宕机我平不了仓，亏了3000"),
    ("repeated_failure", "tried the face check 30 times", "人脸认证试了几十次都不过"),
    ("repeated_failure", "I opened four tickets and nothing", "找了客服好几次都没用"),
    ("repeated_failure", "verification pending for two weeks, no result", "认证审核半个月了一直没结果，两周了还在等"),
    ("no_human", "there is no human support, only bots", "根本找不到人工客服"),
    ("distress", "I lost all, I want to kill myself", "钱没了，我不想活了"),
]


@pytest.mark.parametrize(("code", "english", "chinese"), ESCALATES)
def test_a_matter_for_a_person_is_escalated_in_both_languages(code: str, english: str, chinese: str) -> None:
    for text in (english, chinese):
        found = signals(text)
        assert found.escalate, text
        assert code in found.reasons, text


THREATS = [
    ("legal", "If this isn't solved by Friday I will sue you", "再不处理我就起诉"),
    ("legal", "If my funds are not back tomorrow, I will go to the police", "如果周五前不到账，我就报警"),
    ("legal", "my lawyer will contact you", "再不解冻我就让律师发律师函"),
    ("legal", "see you in court", "否则法庭见"),
    ("legal", "we are going to the consumer court", "再拖我就去法院提告你們"),
    ("legal", "I am filing a chargeback", "明天我就找银行拒付"),
    ("legal", "Pay me or I'll do a chargeback with my bank", "我会走司法途径解决"),
    ("regulator", "otherwise I'll report you to the FCA", "不然我就向金管局投诉"),
    (
        "regulator",
        "If my money isn't here by Monday I will complain to the regulator",
        "如果今天还不解决，我就向监管部门投诉",
    ),
    ("regulator", "I'll report you to BaFin", "要是再不处理，我会向BaFin投诉"),
    ("regulator", "my complaint to the SFC is written", "我要去证监会举报"),
    ("regulator", "next I file a complaint with MAS", "我已经打了12321"),
    ("regulator", "I'm going to the consumer protection office", "向消协投诉你们"),
    ("regulator", "Which regulator do I write to about you?", "我要向金管會檢舉你們，也會去消保會"),
    ("regulator", "this goes before the banking authority", "我会向有关部门反映投诉"),
]


@pytest.mark.parametrize(("code", "english", "chinese"), THREATS)
def test_a_threat_of_law_is_heard_with_or_without_a_condition(code: str, english: str, chinese: str) -> None:
    for text in (english, chinese):
        assert code in signals(text).reasons, text


@pytest.mark.parametrize(
    "text",
    [
        # Whoever offers to bring back what was lost is no victim.
        "we get stolen crypto back, contact us on Telegram", "代追回被盗币，加微信",
        "hacked? contact @coinfixer, she recovers everything", "被骗的钱可以追回，加飞机联系",
        "Hire a certified hacker to recover your stolen coins", "黑客接单，帮追回被骗资金",
        # The matters of other companies and of other people.
        "PayPal froze my account after I was hacked", "我的QQ号被盗了",
        "my Steam account was hacked", "微信账号被盗了",
        "Did you hear that another exchange was hacked?", "新闻说又有一家交易所被黑了",
        "my landlord keeps the rent, do I need a lawyer", "老板拖欠工资，可以报警吗",
        # Nothing has happened.
        "never been hacked in five years", "没被盗过，一直很安全",
        "no theft, no drama", "从没出过被盗的事",
        "not a scam", "虚惊一场，币没了是我自己看错",
        # A question, or a precaution.
        "is it legal to trade here?", "在这里交易合法吗",
        "can police see my trades", "监管会不会管币价",
        "how do I protect myself from theft", "怎么识别假客服",
        "what if my phone is stolen", "账户被盗的话怎么办",
        "how do I set an anti-phishing code", "防钓鱼码怎么设置",
        # Words that only look like it.
        "what about my complaint RD-2026-12315", "我的投诉RD-2026-12315 怎么样了",
        "an opinion from a lawyer: the terms are long", "广告上写的手续费是零",
    ],
)  # fmt: skip
def test_what_is_nobodys_loss_here_is_not_taken_for_one(text: str) -> None:
    assert not {"theft", "scam", "data_leak", "legal", "regulator"}.intersection(signals(text).reasons)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("scam", "Someone on telegram scammed me, can you recover my money?"),
        ("scam", "I was scammed, they told me to write to them on WhatsApp to recover it"),
        ("scam", "骗子让我加他微信，说能帮我追回，结果又被骗了"),
        ("scam", "他加我微信，说账户要解冻先交保证金，我被骗了"),
        ("theft", "A guy from whatsapp hacked my account and took all"),
        ("theft", "hacked, contact me on whatsapp, I want my money back"),
        ("theft", "账户被盗了，请联系我处理"),
        ("theft", "一直用得好好的，突然账户被盗"),
        ("theft", "phone stolen on the bus, the thief has moved my coins"),
        ("theft", "I'm worried about my account, it was hacked"),
        ("legal", "PayPal is fine, it is you who froze my money, my lawyer will write"),
        ("legal", "你们客服让我报警，我已经报警了"),
        ("distress", "contact me, I lost it all and want to kill myself"),
        ("legal", "我要报警告你们"),
        ("wrong_network_recovery", "sent it via BEP-20 instead of TRC-20"),
    ],
)
def test_a_victim_is_heard_whose_words_resemble_an_advert_or_another_matter(code: str, text: str) -> None:
    assert code in signals(text).reasons


@pytest.mark.parametrize(
    "text",
    [
        "How long does a withdrawal take?", "提现多久到账",
        "My deposit has not arrived, I sent it 20 minutes ago", "刚充的币还没到账",
        "How do I protect my account from being hacked?", "怎么防止账户被盗",
        "What if my account gets hacked?", "如果账户被盗怎么办",
        "I don't think my account was hacked", "账户没有被盗，就是想改密码",
        "My account is not frozen", "我的账户没有被冻结",
        "What happens if I forget the memo?", "如果没填memo会怎么样",
        "I disabled my account myself, how do I turn it on?", "我自己点了停用，怎么恢复",
        "The recovery fee for a wrong network deposit is too high", "充错链的找回手续费太贵了",
        "Please list KAS", "希望上线KAS",
        "great app, thanks", "很好用，谢谢",
        "UID 12345678, order 99123451", "UID 12345678，订单号99123451",
        "join our signals group, 95% win rate", "加群跟单，胜率95%",
        "Your support is open 24/7, right?", "你们是24小时客服吗",
        "The app reads my clipboard without my permission", "会泄露个人信息吗",
        "hello", "你好", "", "🙂",
    ],
)  # fmt: skip
def test_questions_first_reports_and_denials_are_not_escalated(text: str) -> None:
    assert not signals(text).escalate, signals(text).reasons


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("person_asked", "I want to speak to a human"), ("person_asked", "转人工"),
        ("person_asked", "agent please"), ("person_asked", "人工客服"),
        ("person_asked", "Can you connect me with a real person?"), ("person_asked", "我要找真人"),
        ("person_asked", "is anybody there"), ("person_asked", "人呢"),
        ("person_asked", "are you a bot?"), ("person_asked", "你是机器人吗"),
        ("anger", "You are thieves"), ("anger", "你们这群骗子，还我钱！"),
        ("anger", "WHERE IS MY MONEY!!! GIVE IT BACK NOW"), ("anger", "垃圾平台"),
        ("no_human", "I can't reach a human"), ("no_human", "全是机器人，没有人工"),
    ],
)  # fmt: skip
def test_a_person_is_handed_the_conversation(code: str, text: str) -> None:
    found = signals(text)
    assert found.hand_over
    assert code in found.reasons


@pytest.mark.parametrize("text", ["I don't need a human", "不用转人工", "hello", "你好", "提现多久到账", "ok thanks"])
def test_nobody_is_handed_over_who_did_not_ask(text: str) -> None:
    assert not signals(text).hand_over, signals(text).reasons


@pytest.mark.parametrize(
    ("severity", "text"),
    [
        ("critical", "my account was hacked"), ("critical", "账户被盗"),
        ("high", "my account is frozen"), ("high", "账户被冻结了"),
        ("normal", "the app is slow"), ("normal", "软件有点慢"),
        ("low", "how do I deposit"), ("low", "请问手续费多少"),
    ],
)  # fmt: skip
def test_severity(severity: str, text: str) -> None:
    assert signals(text).severity == severity


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("waiting for 3 days", 3), ("three days", 3), ("a couple of weeks", 14), ("72 hours", 3), ("over a month", 30),
        ("within 3 days", 0), ("24/7", 0), ("every day", 0), ("last month", 30),
        ("三天了", 3), ("十五天", 15), ("二十天", 20), ("两个多月", 60), ("一个星期", 7), ("好几天", 4), ("上个月", 30),
        ("3天内", 0), ("5月3号", 0), ("半天", 0.5), ("刚刚", 0),
    ],
)  # fmt: skip
def test_how_long_it_has_lasted(text: str, days: float) -> None:
    assert days_in(text) == pytest.approx(days)


def test_both_languages_of_a_mixed_message_are_heard() -> None:
    assert "theft" in signals("Hello, 我的账户被盗了").reasons
    assert "theft" in signals("客服你好，my account was hacked").reasons


def test_what_stands_at_the_end_of_a_long_mail_is_heard() -> None:
    assert "legal" in signals("I write about many things. " * 2000 + "Otherwise I will sue you.").reasons


@pytest.mark.parametrize("language", ["en", "zh"])
def test_both_word_lists_know_the_same_features_and_every_pattern_compiles(language: str) -> None:
    data = json.loads((wording._LEXICON / f"{language}.json").read_text(encoding="utf-8"))
    english = json.loads((wording._LEXICON / "en.json").read_text(encoding="utf-8"))
    assert data["patterns"].keys() == english["patterns"].keys()
    assert set(RULES) & set(HAND_OVER) <= data["patterns"].keys()
    for patterns in data["patterns"].values():
        for pattern in patterns:
            assert not re.compile(pattern).fullmatch("")


@pytest.mark.parametrize(
    ("first", "then", "language"),
    [
        ("my deposit has not arrived", "it has been three days now", "en"),
        ("我的充值没到账", "已经三天了", "zh"),
        ("my deposit is missing", "i contacted support already", "en"),
    ],
)
def test_two_messages_amount_to_what_neither_says_alone(first: str, then: str, language: Language) -> None:
    said = [signals_of(text, language) for text in (first, then)]
    assert [one.escalate for one in said] == [False, False]
    features = {feature for one in said for feature in one.features}
    reasons = rules_met(features, max(one.days for one in said))
    assert reasons == ("money_missing",)
    assert severity_of(reasons) == "high"
