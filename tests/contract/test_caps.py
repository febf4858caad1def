"""What one person sends beyond a channel's caps: the row `rate-limit-in` of channels that cannot refuse it.

Everything is kept and seen by a person, and nothing more is done about it; then the bot goes on.
"""

from __future__ import annotations

import pytest

from tests.contract.desk import ContractDesk
from tests.contract.minding import SILENCE, minding
from tests.contract.peer import Heard, Peer, can
from tests.contract.rows import OTHERWISE, peers_that_test

CAPPED = peers_that_test("rate-limit-in", OTHERWISE["rate-limit-in"])
FETCHING = [peer for peer in CAPPED if can(peer, "file")]


def of(peers: list[type[Peer]]) -> pytest.MarkDecorator:
    names = ["-".join(filter(None, (peer.channel_name, peer.way))) for peer in peers]
    return pytest.mark.parametrize("peer", peers, indirect=True, ids=names)


def sentences(desk: ContractDesk) -> set[str]:
    return {desk.words.say("case.over_cap", language) for language in ("en", "zh", "zh-Hant")}


@of(CAPPED)
async def test_a_burst_is_kept_for_a_person_and_then_the_bot_goes_on(peer: Peer, desk: ContractDesk) -> None:
    burst = [f"Line number {n} about my order." for n in range(peer.cap + 3)]
    async with minding(desk) as mind:
        for text in burst:
            assert (await peer.deliver(text)).heard is Heard.STORED
        assert (await peer.deliver("I write for the first time.", who=2)).heard is Heard.STORED
        await mind.settle()
        assert mind.asked() == [*burst[: peer.cap], "I write for the first time."]
        received = (await mind.received())[:-1]
        assert [text for _, text, _ in received] == burst
        note = desk.words.say("case.note_over_cap", "en")
        assert [note in beside for _, _, beside in received] == [False] * peer.cap + [True] * 3
        assert [outcome for outcome, _, _ in received[peer.cap :]] == ["joined"] * 3
        told = [text for text in await mind.said() if text in sentences(desk)]
        public = await mind.is_public()
        assert len(told) == (not public)
        assert (await mind.owners(), await mind.balanced()) == (["bot", "bot"], True)

        desk.clock.move(seconds=61)
        assert (await peer.deliver("Are you there again?")).heard is Heard.STORED
        await mind.settle()
        assert mind.asked()[-1] == "Are you there again?"

        desk.clock.move(seconds=SILENCE.total_seconds())
        await mind.ring()
        assert (await mind.owners(), await mind.queued()) == (["queue", "bot"], [["over_cap"]])
        assert await mind.balanced()
        soon = {desk.words.say("case.person_soon", language) for language in ("en", "zh", "zh-Hant")}
        assert not (public and soon & set(await mind.said()))


@of(FETCHING)
async def test_files_over_the_cap_are_left_at_the_peer(peer: Peer, desk: ContractDesk) -> None:
    caps = peer.channel.capabilities.caps
    assert caps is not None
    assert 0 < caps.files_per_hour < peer.cap
    async with minding(desk) as mind:
        for n in range(caps.files_per_hour + 1):
            assert (await peer.file(f"page-{n}.pdf", b"%PDF-1.7 " + bytes([n]) * 100)).heard is Heard.STORED
        await mind.settle()
        kept = len(await mind.kept_files())
        assert kept == caps.files_per_hour
        public = peer.channel.capabilities.public  # a post has words beside its picture, of which the bot is asked
        assert len(mind.asked()) == caps.files_per_hour + public
        assert (await mind.received())[-1][2]
        assert len([text for text in await mind.said() if text in sentences(desk)]) == (not await mind.is_public())

        desk.clock.move(minutes=61)
        await peer.file("later.pdf", b"%PDF-1.7 later")
        await mind.settle()
        assert len(await mind.kept_files()) == kept + 1
