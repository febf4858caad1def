"""Do identifiers stay whole in Chinese text, where no space sets them off?"""

from __future__ import annotations

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from bot.understanding.entities.tokens import MixedTokenizer

TOKENIZE = MixedTokenizer(spacy.blank("xx").vocab)
EVM = "0x52908400098527886E0F7030069857D2E4169EE7"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"我的{EVM}到账了吗", ["我", "的", EVM, "到", "账", "了", "吗"]),
        ("UID88231201提现500USDT到TRC20", ["UID88231201", "提", "现", "500USDT", "到", "TRC20"]),
        ("订单号20261103X77A被取消", ["订", "单", "号", "20261103X77A", "被", "取", "消"]),
        ("to a.b@mail.example.org，谢谢", ["to", "a.b@mail.example.org", "，", "谢", "谢"]),
        ("见https://example.org/tx/9。", ["见", "https://example.org/tx/9", "。"]),
        ("TRC-20", ["TRC", "-", "20"]),
        ("", []),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    assert [token.text for token in TOKENIZE(text)] == expected


@given(st.text(max_size=300))
def test_the_text_can_be_put_together_again(text: str) -> None:
    doc = TOKENIZE(text)
    assert doc.text == text.encode("utf-8", "replace").decode() or any("\ud800" <= one <= "\udfff" for one in text)
    assert len(doc.text) == len(text)
