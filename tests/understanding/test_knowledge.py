"""Does the knowledge base answer in both languages, and are broken articles named?"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from bot.understanding.knowledge import Knowledge, KnowledgeError
from bot.understanding.knowledge.figures import FiguresError, read_figures
from bot.understanding.labels import COMPLAINTS
from bot.understanding.language import Language, language_of
from tests.understanding.nlu_data import ROOT

FOLDER = ROOT / "data" / "knowledge"
FIGURES = read_figures(FOLDER / "figures.toml")
ANSWERED = (
    "deposit_issue", "withdrawal_issue", "deposit_wrong_network_memo", "kyc_verification", "login_2fa_recovery",
    "fees_limits", "app_technical", "api_integration", "rewards_airdrop_earn", "listing_delisting_network",
    "fiat_card_payment", "futures_liquidation", "account_closure_privacy",
)  # fmt: skip


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return Knowledge.load(FOLDER, FIGURES)


@pytest.mark.parametrize("label", ANSWERED)
def test_a_frequent_class_has_an_article_in_both_languages(knowledge: Knowledge, label: str) -> None:
    first = knowledge.for_class(label)[0]
    english, chinese = knowledge.article(first, "en"), knowledge.article(first, "zh")
    assert language_of(english.body) == "en"
    assert language_of(chinese.body) == "zh"


def test_an_article_reads_as_plain_text_with_its_figures(knowledge: Knowledge) -> None:
    for id in knowledge.ids():
        for language in ("en", "zh"):
            body = knowledge.article(id, language).body
            assert not re.search(r"[{}*#|]|\]\(|https?://", body), id
    assert "24 hours" in knowledge.article("withdrawal_pending", "en").body


def test_every_figure_is_used_and_explained() -> None:
    articles = "".join(path.read_text("utf-8") for path in FOLDER.glob("*.*.md"))
    explained = (FOLDER / "README.md").read_text("utf-8")
    for name in FIGURES:
        assert f"{{{name}}}" in articles, name
        assert f"| `{name}` |" in explained, name


@pytest.mark.parametrize(
    ("text", "label", "language", "id"),
    [
        ("how do i deposit usdt", "deposit_issue", "en", "how_to_deposit"),
        ("怎么充值", "deposit_issue", "zh", "how_to_deposit"),
        ("my deposit isn't there", "deposit_issue", "en", "deposit_not_credited"),
        ("充值还没到", "deposit_issue", "zh", "deposit_not_credited"),
        ("lost my phone with google authenticator", "login_2fa_recovery", "en", "reset_authenticator"),
        ("密码忘了", "login_2fa_recovery", "zh", "forgot_password"),
        ("transfer coins to my ledger", "withdrawal_issue", "en", "how_to_withdraw"),
        ("怎么把币提到冷钱包", "withdrawal_issue", "zh", "how_to_withdraw"),
        ("0x77", "withdrawal_issue", "en", "withdrawal_pending"),
        ("?", "withdrawal_issue", "zh", "withdrawal_pending"),
    ],
)
def test_the_fitting_article_is_chosen(
    knowledge: Knowledge, text: str, label: str, language: Language, id: str
) -> None:
    found = knowledge.best(text, label, language)
    assert found is not None
    assert found.id == id


def test_a_class_without_an_article_gets_none(knowledge: Knowledge) -> None:
    assert knowledge.best("what is the weather", "out_of_scope", "en") is None


GOOD = """---
id: one
class: fees_limits
rank: 1
title: Fees
answers: what fees
source: group 11
---
It costs {fee}.
"""


NOTICE = GOOD.replace("source: group 11\n", "source: group 11\nkind: notice\nsince: 2026-11-25\n")


def with_line(line: str) -> str:
    return GOOD.replace("source: group 11\n", f"source: group 11\n{line}\n")


def without_twin(folder: Path) -> None:
    (folder / "one.zh.md").unlink()


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (without_twin, r"one\.zh\.md is missing"),
        (lambda folder: (folder / "one.zh.md").write_text(GOOD.replace("rank: 1", "rank: 2")), "differs from its twin"),
        (lambda folder: (folder / "one.en.md").write_text(GOOD.replace("{fee}", "{fe}")), r"one\.en\.md:9 uses {fe}"),
        (lambda folder: (folder / "one.en.md").write_text(GOOD.replace("fees_limits", "fees")), "class 'fees'"),
        (lambda folder: (folder / "one.en.md").write_text(GOOD.replace("title: Fees\n", "")), "'title' is missing"),
        (lambda folder: (folder / "one.en.md").write_text(GOOD.replace("title: Fees", "title")), r"one\.en\.md:5 must"),
        (lambda folder: (folder / "one.en.md").write_text(GOOD.replace("id: one", "id: two")), "must be called two"),
        (lambda folder: (folder / "one.en.md").write_text(GOOD + "long " * 300), "characters"),
        (lambda folder: (folder / "one.en.md").write_text("Fees"), r"one\.en\.md:1 must begin"),
        (lambda folder: (folder / "one.en.md").write_text(GOOD.replace("rank: 1", "rank: one")), r"one\.en\.md:4 rank"),
        (lambda folder: (folder / "one.en.md").write_text(with_line("group: cats")), r"one\.en\.md:8 the group 'cats'"),
        (lambda folder: (folder / "one.en.md").write_text(with_line("kind: joke")), r"one\.en\.md:8 the kind 'joke'"),
        (lambda folder: (folder / "one.en.md").write_text(with_line("kind: notice")), r"one\.en\.md:8 a notice, and"),
        (lambda folder: (folder / "one.en.md").write_text(with_line("since: 2026-01-02")), r"one\.en\.md:8 a notice"),
        (
            lambda folder: (folder / "one.en.md").write_text(NOTICE.replace("11-25", "2")),
            r"one\.en\.md:9 since must be",
        ),
        (lambda folder: (folder / "one.en.md").write_text(NOTICE), "differs from its twin"),
    ],
)
def test_a_broken_article_is_named(tmp_path: Path, spoil: Callable[[Path], object], complaint: str) -> None:
    for language in ("en", "zh"):
        (tmp_path / f"one.{language}.md").write_text(GOOD)
    assert Knowledge.load(tmp_path, {"fee": 3}).article("one", "en").body == "It costs 3."
    spoil(tmp_path)
    with pytest.raises(KnowledgeError, match=complaint):
        Knowledge.load(tmp_path, {"fee": 3})


def test_a_notice_has_its_day_and_an_article_its_topic(tmp_path: Path) -> None:
    for language in ("en", "zh"):
        (tmp_path / f"one.{language}.md").write_text(NOTICE)
        (tmp_path / f"two.{language}.md").write_text(with_line("group: login").replace("id: one", "id: two"))
    knowledge = Knowledge.load(tmp_path, {"fee": 3})
    (notice,) = knowledge.notices("zh")
    assert (notice.id, notice.since, notice.group) == ("one", date(2026, 11, 25), "fees")
    assert {topic: [one.id for one in own] for topic, own in knowledge.topics("en").items()} == {"login": ["two"]}


def test_an_empty_folder_and_unusable_figures_are_named(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="holds no article"):
        Knowledge.load(tmp_path, {})
    (tmp_path / "figures.toml").write_text("[fees]\none = 1\n")
    with pytest.raises(FiguresError, match="fees must be a number or a string"):
        read_figures(tmp_path / "figures.toml")
    with pytest.raises(FiguresError, match="cannot be read"):
        read_figures(tmp_path / "missing.toml")


def test_all_classes_at_once_give_what_each_gives_alone(knowledge: Knowledge) -> None:
    for text in ("how do i deposit usdt", "提现还没到账怎么办", "I forgot my password", "", "🙂", "x" * 5000):
        for language in ("en", "zh"):
            at_once = knowledge.best_per_class(text, COMPLAINTS, language)
            alone = {label: knowledge.best(text, label, language) for label in COMPLAINTS}
            articles = {label: match.article for label, match in at_once.items()}
            assert articles == {label: article for label, article in alone.items() if article is not None}
            assert set(at_once) == {label for label in COMPLAINTS if knowledge.for_class(label)}
