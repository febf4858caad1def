"""Who may know whom (docs/FLOW.md): the arrows of the road point one way."""

from __future__ import annotations

import pytest

from channels.registry import names
from tests.repo.tree import PACKAGES, files, imports, module_of

SHARED = (
    "bot.clock",
    "bot.filenames",
    "bot.files",
    "bot.hub",
    "bot.keys",
    "bot.presence",
    "bot.store",
    "bot.repository",
    "bot.wording",
)
PROOF = ("bot.identity.policy", "bot.identity.repository")
"""Whether a proof holds, and whom somebody is asked to be: cases and agents need to know."""
WORDS = ("bot.understanding.labels", "bot.understanding.masking", "bot.understanding.secrets")
"""The names of the classes, and what must stand in no text."""
CONTRACT = (
    "channels.contract",
    "channels.caps_contract",
    "channels.files_contract",
    "channels.live_contract",
    "channels.record_contract",
    "channels.public_contract",
    "channels.faults",
)
SHARING = ("channels.monitor", "channels.web", "channels.split")
"""What channels for networks, for browsers and for short messages share."""
RULES: dict[str, tuple[str, ...]] = {
    "bot.understanding": ("bot.understanding",),
    "bot.rasa": ("bot.rasa", "bot.understanding", "actions.logs", "actions.loopback"),
    "bot.store": ("bot.store", "bot.clock", "bot.metrics", *CONTRACT),
    "bot.repository": ("bot.repository", "bot.store", "bot.clock", "bot.tokens", *CONTRACT),
    "bot": ("bot", "actions.commands", "escalation", *CONTRACT),
    "channels.registry": CONTRACT,
    "channels.contract": CONTRACT,
    "channels.caps_contract": (),
    "channels.files_contract": (),
    "channels.live_contract": (),
    "channels.record_contract": ("channels.live_contract",),
    "channels.public_contract": (),
    "channels.faults": (),
    "channels.monitor": ("channels.monitor", *CONTRACT),
    "channels.web": ("channels.web", *CONTRACT),
    "channels.split": (),
    "actions": ("actions", "bot.understanding.labels", "bot.understanding.signals", "bot.understanding.folding"),
    "actions.commands": (),
    "escalation.help": ("escalation", *CONTRACT, *SHARED, "bot.understanding"),
    "escalation": ("escalation", "actions.commands", *CONTRACT, *WORDS, *SHARED, *PROOF),
}
EXTRA = {
    "bot.bootstrap.channels": ("channels.registry",),
    "bot.catalogue": ("channels.registry",),
    "bot.identity.directory": ("actions.backoffice",),
    "escalation.console.doors": ("channels.web.body",),
    "escalation.console.record_page": ("channels.web.body",),
    "escalation.console.record_form": ("channels.web.body",),
    "escalation.tracking.limit": ("channels.web.budget",),
    "escalation.web.language": ("channels.web.languages",),
    "escalation.web.pages": ("channels.web.languages",),
    "escalation.web.rate": ("channels.web.budget",),
}
"""The composition root, the list of folders that hold words, and the one question that the app asks the exchange."""


def within(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


def allowed(module: str) -> tuple[str, ...]:
    for name in names():
        if within(module, (f"channels.{name}",)):
            return (f"channels.{name}", *SHARING, *CONTRACT)
    rule = max((rule for rule in RULES if within(module, (rule,))), key=len, default="")
    return RULES.get(rule, ()) + EXTRA.get(module, ())


@pytest.mark.parametrize("path", files(*PACKAGES), ids=module_of)
def test_a_module_imports_only_what_it_may_know(path: object) -> None:
    from pathlib import Path

    assert isinstance(path, Path)
    module = module_of(path)
    ours = [name for name in imports(path) if name.split(".")[0] in PACKAGES]
    wrong = [name for name in ours if not within(name, allowed(module)) or _reaches_into_rasa(module, name)]
    assert not wrong, f"{module} must not import {wrong}"


def _reaches_into_rasa(module: str, name: str) -> bool:
    """The Python 3.10 side is another process: nobody imports it."""
    return within(name, ("bot.rasa",)) and not within(module, ("bot.rasa",))


def test_our_top_level_names_are_ours() -> None:
    """`channels` and `actions` are common names; an installed package must not shadow them."""
    import actions
    import channels
    from tests.repo.tree import ROOT

    for package in (actions, channels):
        assert str(package.__file__).startswith(str(ROOT))
