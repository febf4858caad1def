"""The bot's commands: each is a plain sentence, and where the desk knows one, a button that is pressed with it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from telegram import BotCommand, BotCommandScopeAllPrivateChats

from channels.contract import Words
from channels.telegram.api import Api

PAYLOADS = {
    "status": "status",
    "agent": "person",
    "appeal": "appeal",
    "subscribe": "subscribe",
    "unsubscribe": "unsubscribe",
}
NAMES = ("start", "help", "status", "agent", "language", "appeal", "subscribe", "unsubscribe")
_COMMAND = re.compile(r"/([a-z_]{1,32})(?:@[A-Za-z0-9_]{1,64})?(?:\s+(.*))?", re.DOTALL)
_REPLACED_BY_WORDS = frozenset({"help", "agent"})
"""What follows these commands says more than the sentence does; after "status" it says nothing."""
LANGUAGE = "language"
"""The payload of the wish to choose a language; "language:zh" is the button that chooses one."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What a deep link may carry (core.telegram.org/bots/features, "Deep linking")."""
_LANGUAGES = {
    "en": "en",
    "english": "en",
    **dict.fromkeys(("zh", "中文", "chinese", "zh-hans", "zh-cn", "简体", "简体中文"), "zh"),
    **dict.fromkeys(("zh-hant", "zh-tw", "zh-hk", "繁體", "繁体", "繁體中文", "繁体中文"), "zh-Hant"),
}


@dataclass(frozen=True)
class Meaning:
    text: str
    payload: str | None = None
    invitation: str | None = None


def meaning(text: str, language: str, words: Words) -> Meaning | None:
    """What a command says in `language`; None when the text is no command of ours.

    The language is changed by the sentence that asks for it, as anybody could write it: nothing has to be remembered.
    """
    found = _COMMAND.fullmatch(text)
    if found is None or found[1] not in NAMES:
        return None
    name, rest = found[1], (found[2] or "").strip()
    if name == "language":
        wished = _LANGUAGES.get(rest.lower())
        sentence = words.say("telegram.say_languages", language)
        return Meaning(sentence, LANGUAGE) if wished is None else chosen(wished, words)
    sentence = words.say(f"telegram.say_{name}", language)
    if rest and name in _REPLACED_BY_WORDS:
        sentence = rest
    elif rest and name == "appeal":
        sentence = f"{sentence}\n{rest}"
    token = rest if name == "start" and _TOKEN.fullmatch(rest) else None
    return Meaning(sentence, PAYLOADS.get(name), token)


def chosen(language: str, words: Words) -> Meaning:
    """A language was chosen by command or button: what anybody could have written."""
    return Meaning(words.say("telegram.say_language", language))


def language_of_button(name: str) -> str | None:
    """The language that this button chooses; None for every other button."""
    kind, _, language = name.partition(":")
    return language if kind == LANGUAGE and language in _LANGUAGES.values() else None


async def publish(api: Api, words: Words) -> None:
    """Puts the commands into the menu of private chats, in Chinese for Chinese apps. Raises TelegramError."""
    for language, code in (("en", None), ("zh", "zh")):
        listed = [BotCommand(name, words.say(f"telegram.menu_{name}", language)) for name in NAMES]
        await api.set_my_commands(listed, scope=BotCommandScopeAllPrivateChats(), language_code=code)
