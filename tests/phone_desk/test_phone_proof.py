"""Nobody can be asked for a proof over a telephone desk: the page does not offer it, and the server refuses it."""

from __future__ import annotations

import pytest

from tests.phone_desk.desk import PhoneDesk, kept

pytestmark = pytest.mark.asyncio(loop_scope="module")
SENTENCE = {"en": "Nothing can be asked here", "zh": "无法在这里要求验证身份"}


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_proof_is_neither_offered_nor_asked_for(place: PhoneDesk, language: str) -> None:
    li = place.people["li"]
    talk = await kept(place, "li", {})
    await li.post(f"/console/c/{talk}/take")
    before = [answer.text for answer in await place.answers(talk)]
    assert 'id="ask-proof"' not in (await li.get(f"/console/c/{talk}?lang={language}")).text
    refused = await li.post(f"/console/c/{talk}/ask-proof?lang={language}")
    assert (refused.status_code, SENTENCE[language] in refused.text) == (409, True)
    assert [answer.text for answer in await place.answers(talk)] == before
    wording = {"en": "Proof of identity asked for", "zh": "已请用户验证身份"}[language]
    assert wording not in (await li.get(f"/console/c/{talk}?lang={language}")).text
