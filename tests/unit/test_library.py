"""The knowledge base as the desk uses it: answers name their source, and a start does not encode the articles anew."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bot import catalogue, library
from bot.settings import Settings, SettingsError
from bot.understanding.encoder import UseEncoder, Vectors
from bot.understanding.knowledge import Knowledge

URL = "https://help.exchange.example"


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    made = library.load(Settings())
    made.prepare()
    return made


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("en", f"Read it again in our help: “Fees and limits”, {URL}/help/fees?lang=en"),
        ("zh", f"本文来自帮助中心《手续费与限额》：{URL}/help/fees?lang=zh"),
    ],
)
def test_an_answer_ends_with_the_article_it_is_from_and_its_address(
    knowledge: Knowledge, language: str, line: str
) -> None:
    said = library.article_text(knowledge, catalogue.whole(), URL)("fees", language)
    article = knowledge.article("fees", "zh" if language == "zh" else "en")
    assert said == f"{article.title}\n\n{article.body}\n\n{line}"


def test_every_class_is_given_its_best_article(knowledge: Knowledge) -> None:
    best = library.best_articles(knowledge)("how do I move coins to my own wallet", "en")
    assert best["withdrawal_issue"] == "how_to_withdraw"
    assert best["fees_limits"] in knowledge.for_class("fees_limits")


def test_before_the_library_is_ready_nobody_waits_and_nothing_is_judged() -> None:
    begun = library.load(Settings())
    assert library.best_articles(begun)("how do I withdraw", "en") == {}
    assert not library.ArticleShelf(begun).is_far("forgot_password", "你们老板叫什么名字", "zh")
    assert not begun.ready


def test_the_shelf_knows_what_answers_and_what_does_not(knowledge: Knowledge) -> None:
    shelf = library.ArticleShelf(knowledge)
    assert shelf.class_of("fees") == "fees_limits"
    assert not shelf.is_far("forgot_password", "I forgot my password", "en")
    assert shelf.is_far("forgot_password", "你们老板叫什么名字", "zh")


class Counting:
    """An encoder that remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def encode(self, lines: list[str]) -> Vectors:
        self.asked.append(len(lines))
        return np.eye(len(lines), 4, dtype=np.float32)


def test_vectors_of_the_same_lines_are_kept_and_others_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = Counting()
    monkeypatch.setattr(library, "encoder_named", lambda _name: encoder)
    first = library.kept_vectors(["a", "b"], tmp_path)
    assert np.array_equal(library.kept_vectors(["a", "b"], tmp_path), first)
    assert encoder.asked == [2]
    library.kept_vectors(["a", "b", "c"], tmp_path)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:40])
    library.kept_vectors(["a", "b", "c"], tmp_path)
    assert encoder.asked == [2, 3, 3]
    assert np.array_equal(library.kept_vectors(["a"], tmp_path / "missing"), np.eye(1, 4))


def test_a_figure_that_no_article_uses_stops_the_start() -> None:
    with pytest.raises(SettingsError, match="no article uses the figure moon_phase"):
        library.load(Settings(figures={"moon_phase": "3"}))


def test_an_encoder_whose_table_is_on_disk_says_the_same(tmp_path: Path) -> None:
    texts = ["how do i deposit", "提现一直没到账怎么办", "", "🙂", "word " * 400]
    encoder = UseEncoder()
    before = encoder.encode(texts)
    encoder.rest_on(tmp_path)
    assert np.array_equal(encoder.encode(texts), before)
    (table,) = tmp_path.iterdir()
    written = table.stat().st_mtime_ns
    another = UseEncoder()
    another.encode(["x"])
    another.rest_on(tmp_path)
    assert np.array_equal(another.encode(texts), before)
    assert table.stat().st_mtime_ns == written
