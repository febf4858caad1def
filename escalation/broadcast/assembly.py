"""Puts the parts of broadcasts together for the composition root."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.clock import Clock
from bot.store.store import Store
from bot.wording import Wording
from channels.contract import Capabilities, Channel
from escalation.broadcast.links import SubscriptionLinks
from escalation.broadcast.opting import Opting
from escalation.broadcast.policy import Rules
from escalation.broadcast.recall import Recall
from escalation.broadcast.routes import SubscriptionDesk
from escalation.broadcast.sending import SendBroadcast
from escalation.broadcast.service import Broadcasts


@dataclass(frozen=True, kw_only=True)
class Broadcasting:
    recall: Recall
    send: SendBroadcast
    """To be rung by `sending.BROADCAST_TIMER`."""
    service: Broadcasts
    public: SubscriptionDesk


def build(
    rules: Rules,
    *,
    secret: bytes,
    public_url: str,
    store: Store,
    clock: Clock,
    words: Wording,
    brands: Mapping[str, str],
    channels: Mapping[str, Channel],
    letters: Callable[[], str | None],
) -> Broadcasting:
    """`channels` may be filled later. `letters` names the channel that reaches e-mail."""
    links = SubscriptionLinks(secret, public_url)

    def able() -> Mapping[str, Capabilities]:
        found = {name: channel.capabilities for name, channel in channels.items()}
        return {name: capabilities for name, capabilities in found.items() if capabilities.broadcasts}

    opting = Opting(
        store=store, clock=clock, words=words, links=links, brand=lambda language: brands[language], letters=letters
    )
    return Broadcasting(
        recall=Recall(rules=rules, links=links, channels=able),
        send=SendBroadcast(words=words, links=links, rules=rules, channels=able),
        service=Broadcasts(store=store, clock=clock, rules=rules, channels=able),
        public=SubscriptionDesk(
            clock=clock, words=words, brands=brands, public_url=public_url, links=links, opting=opting
        ),
    )
