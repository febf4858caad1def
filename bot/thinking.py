"""What is to be done about one message: read it, see who owns the conversation, ask Rasa. Nothing is written here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from actions.commands import BUTTONS, Command, HandToPerson, OpenCase, Say, SetAside
from bot.binding.step import Binding
from bot.clock import Clock, now
from bot.guard import MAX_CHARACTERS, harmless
from bot.identity import policy
from bot.identity.dialogue import Identity
from bot.identity.proposal import Proving
from bot.matter import Matter, Thought, words_of
from bot.metrics import step
from bot.rasa_client import TurnFailed
from bot.redacting import WarnOfSecrets, marked, without_secrets
from bot.script import for_models
from bot.speaking import is_only_a_wish, language_to_speak
from bot.understanding.labels import CLASSES
from bot.understanding.reading import Reading
from bot.wording import base
from channels.contract import Kind, ReadMessage
from channels.record_contract import Complaint
from escalation.broadcast import subscribing
from escalation.broadcast.bouncing import EndBounced
from escalation.broadcast.subscribing import SayWish
from escalation.by_hand import JoinCase
from escalation.confirming.asking import Asking, AskToConfirm, KeepTogether
from escalation.impostors import FlagImpostor
from escalation.over_cap import REASON, OverCap
from escalation.queue import BOT
from escalation.repository import CaseRow

UNAVAILABLE = "assistant_unavailable"
FORM, KEYED_IN = "complaint_form", "keyed_in"
SHORT_CHARACTERS = 300
FILE = "/file"
"""What Rasa receives for a message that is nothing but files; no button says this."""


class AskRasa(Protocol):
    """`bot.rasa_client.RasaClient.turn`. Raises TurnFailed."""

    async def __call__(
        self, sender: str, text: str, command: str | None, inbox_id: int, language: str, metadata: Mapping[str, Any]
    ) -> Sequence[Command]: ...


Articles = Callable[[str, str], Mapping[str, str]]
"""(text, language) -> for each class with articles, the one that fits the text best."""


@dataclass(frozen=True, kw_only=True)
class Mind:
    """What thinking needs: the reader of texts, the library, Rasa, and who asks for proofs and binds conversations
    to one another (None: nobody)."""

    understand: Callable[[str], Reading]
    articles: Articles
    ask: AskRasa
    identity: Identity | None = None
    binding: Binding | None = None
    clock: Clock = now
    asking: Asking | None = None
    """Asks the owners of typed e-mail addresses whether they are theirs; None: nobody is asked."""


async def think(matter: Matter, mind: Mind, patient: Callable[[TurnFailed], bool]) -> Thought:
    """Raises TurnFailed only while `patient` says that the user can still wait for another try."""
    thought = await _think(matter, mind, patient)
    if matter.impostor is None or not matter.impostor.is_known:
        return thought
    unsaid = thought.outcome == "answered" and not thought.commands  # a flag is no answer
    commands = (*thought.commands, FlagImpostor(sighting=matter.impostor))
    return replace(thought, commands=commands, outcome="joined" if unsaid else thought.outcome)


async def _think(matter: Matter, mind: Mind, patient: Callable[[TurnFailed], bool]) -> Thought:
    silenced = matter.impostor is not None and not matter.impostor.is_known
    if _is_unheard(matter) and not silenced:
        return await _unheard(matter, mind)
    original = matter
    matter, secrets, reading = await _understood(original, mind)
    complaint = matter.message.complaint
    if complaint is None:
        pressed, spoken = matter.message.payload is not None, matter.conversation.language
        language = language_to_speak(words_of(matter), reading.language, spoken, pressed=pressed)
        if matter.impostor is not None and silenced:
            flag = FlagImpostor(sighting=matter.impostor)
            return Thought(matter=matter, language=language, reading=reading, commands=(flag,), outcome="automatic")
        if (wish := _subscription_wish(original)) is not None:
            said = SayWish(wish=wish, language=language, inbox_id=matter.row.id)
            return Thought(matter=matter, language=language, reading=reading, commands=(said,), outcome="answered")
    else:
        language = complaint.language
    proving = None if complaint is not None else await _proving(original, mind, language)
    if proving is not None:
        matter, secrets, reading = await _understood(_masked(original, proving), mind)
        secrets = [kind for kind in secrets if kind != "one_time_code"]  # we may have asked for one ourselves
    warnings = (WarnOfSecrets(kinds=secrets),) if secrets and matter.message.kind is Kind.MESSAGE else ()
    if proving is not None and not proving.goes_on:
        thought = await _proven(matter, mind, reading, language, proving, patient)
        return replace(thought, commands=(*warnings, *thought.commands, *_left_out(matter, thought.commands)))
    outcome, commands = await _decide(matter, mind, reading, language, patient)
    if proving is not None:
        commands = (*proving.commands, *commands)
    commands = (*warnings, *commands, *_left_out(matter, commands))
    return Thought(matter=matter, language=language, reading=reading, commands=commands, outcome=outcome)


def _is_unheard(matter: Matter) -> bool:
    """A message over a cap; or one that is nothing but files that were left at the peer for a cap."""
    message = matter.message
    if message.kind is not Kind.MESSAGE:
        return False
    return matter.over_cap or (message.unfetched > 0 and not message.text.strip() and message.payload is None)


def _left_out(matter: Matter, commands: Sequence[Command]) -> Sequence[Command]:
    """Files were left at the peer; the words are answered all the same. Last, for what the bot gathered comes first.
    Of what is nobody's work, a machine's words or no complaint, nobody is asked to read the rest."""
    nobodys = matter.message.kind is not Kind.MESSAGE or any(isinstance(each, SetAside) for each in commands)
    return (OverCap(),) if matter.message.unfetched and not nobodys else ()


async def _unheard(matter: Matter, mind: Mind) -> Thought:
    """Kept for a person, without its secrets. A code in it is only hidden: to be judged, it must be sent again."""
    read = matter.message
    unasked = replace(matter, message=replace(read, kind=Kind.AUTOMATIC))
    language = matter.conversation.language or "en"
    hidden = await _proving(unasked, mind, language)
    matter, _, reading = await _understood(matter if hidden is None else _masked(matter, hidden), mind)
    signals = reading.signals
    command = OverCap(reasons=(REASON, *signals.reasons), at_once=signals.escalate or signals.hand_over)
    return Thought(
        matter=matter,
        language=language_to_speak(words_of(matter), reading.language, matter.conversation.language, pressed=False),
        reading=reading,
        commands=(command,),
        outcome="joined",
        unheard=True,
    )


def _subscription_wish(matter: Matter) -> str | None:
    """Neither the bot's nor an agent's business: it holds whoever owns the conversation."""
    message = matter.message
    if not matter.may_subscribe or message.kind is not Kind.MESSAGE or message.attachments:
        return None
    return subscribing.wish(message.text, message.payload)


async def _understood(matter: Matter, mind: Mind) -> tuple[Matter, Sequence[str], Reading]:
    """The message without its secrets, their kinds, and what it says. From here on nobody sees a secret; only the step
    that asked for a code reads the message as it was written."""

    def understand(message: ReadMessage) -> tuple[Matter, Sequence[str], Reading]:
        bare, kinds = without_secrets(message)
        read = matter if bare is message else replace(matter, message=bare)
        return read, kinds, marked(mind.understand(words_of(read)), kinds)

    return await _study(understand, matter.message, length=max(len(matter.message.text), len(words_of(matter))))


async def _study[T](run: Callable[..., T], *arguments: Any, length: int) -> T:
    """Beside the event loop, but a chat line is studied in less time than a thread takes to begin."""
    with step("understand"):
        if length <= SHORT_CHARACTERS:
            return run(*arguments)
        return await asyncio.to_thread(run, *arguments)


async def _proving(matter: Matter, mind: Mind, language: str) -> Proving | None:
    """Before the bot and before the owner: a code must reach neither, and an agent may have asked for it."""
    where = (matter.conversation, matter.row, matter.message, language)
    bound = None if mind.binding is None else await mind.binding.step(*where)
    if mind.identity is None or (bound is not None and not bound.goes_on):
        return bound
    proving = await mind.identity.step(*where)
    if bound is None or proving is None:
        return bound or proving
    return replace(proving, commands=(*bound.commands, *proving.commands))


def _masked(matter: Matter, proving: Proving) -> Matter:
    """From here on nobody sees the code: not the bot, not the transcript, not the brief."""
    message = matter.message
    text = message.text if proving.masked is None else proving.masked
    subject = message.subject if proving.masked_subject is None else proving.masked_subject
    files = message.attachments if proving.attachments is None else proving.attachments
    return replace(matter, message=replace(message, text=text, subject=subject, attachments=files))


async def _proven(
    matter: Matter,
    mind: Mind,
    reading: Reading,
    language: str,
    proving: Proving,
    patient: Callable[[TurnFailed], bool],
) -> Thought:
    """A step of proving who writes; after the last one the question that waited is answered."""
    commands, question = proving.commands, None
    if (resume := proving.resume) is not None:
        question, secrets = without_secrets(ReadMessage(text=resume.text))
        reading = marked(await _study(mind.understand, question.text, length=len(question.text)), secrets)
        try:
            answer = await _ask(replace(matter, message=question), mind, reading, language, resume.account)
        except TurnFailed as failure:
            if resume.own and patient(failure):
                raise
            answer = _unavailable() if resume.own else (Say(key="identity.what_now"),)
        commands = (*commands, *answer)
    return Thought(
        matter=matter, language=language, reading=reading, commands=commands, outcome="answered", question=question
    )


async def _decide(
    matter: Matter, mind: Mind, reading: Reading, language: str, patient: Callable[[TurnFailed], bool]
) -> tuple[str, Sequence[Command]]:
    message = matter.message
    if message.kind is not Kind.MESSAGE:
        return "automatic", _came_back(matter)
    if matter.conversation.owner != BOT:
        return "joined", ()
    if message.complaint is not None:
        return "answered", _complained(message.complaint, mind, reading)
    wordless = not message.text.strip() and message.payload is None
    if wordless and (message.note is not None or not message.attachments):
        return "answered", _unreadable(addressed=message.public.addressed)
    try:
        account = policy.proven(matter.conversation.account, mind.clock())
        commands = await _ask(matter, mind, reading, language, account)
        aside = any(isinstance(command, SetAside) for command in commands)
        return "automatic" if aside else "answered", commands
    except TurnFailed as failure:
        if patient(failure):
            raise
        if not message.public.addressed:
            return "answered", (HandToPerson(reasons=(UNAVAILABLE,)),)
        return "answered", _file_taken(matter) if wordless else _unavailable()


def _came_back(matter: Matter) -> Sequence[Command]:
    """Nobody is answered; but whom our mail does not reach is sent no more notices."""
    name = matter.message.undelivered
    if matter.message.kind is not Kind.BOUNCE or name is None:
        return ()
    return (EndBounced(message_id=name, inbox_id=matter.row.id),)


def _complained(complaint: Complaint, mind: Mind, reading: Reading) -> Sequence[Command]:
    """A form is a case at once, whatever the bot would make of its words and whether or not it can be asked."""
    reasons = (KEYED_IN if complaint.keyed_in_by else FORM, *reading.signals.reasons)
    severity = "normal" if reading.signals.severity == "low" else reading.signals.severity
    asked = (
        (AskToConfirm(address=complaint.email, language=complaint.language, asking=mind.asking),)
        if (complaint.email and mind.asking is not None)
        else ()
    )
    joins = (JoinCase(number=complaint.case_number, actor=complaint.keyed_in_by),) if complaint.case_number else ()
    return (
        KeepTogether(),
        *joins,
        *asked,
        OpenCase(label=complaint.label, severity=severity, reasons=reasons, facts=dict(complaint.facts)),
        HandToPerson(reasons=reasons),
    )


def _unreadable(*, addressed: bool) -> Sequence[Command]:
    """A message that no machine can read. Who did not speak to us has complained of nothing yet."""
    if not addressed:
        return (HandToPerson(reasons=("unreadable",)),)
    return (OpenCase(label="unclassified", reasons=("unreadable",)), HandToPerson(reasons=("unreadable",)))


def _file_taken(matter: Matter) -> Sequence[Command]:
    """A file without words while the bot cannot be asked what it waits for."""
    if matter.case is not None and matter.case.status == "open":
        return (OpenCase(label="unclassified", reasons=("file",)),)
    return (Say(key="case.file_received"),)


def _unavailable() -> Sequence[Command]:
    """The bot cannot answer: the user hears the truth, and the complaint is a case all the same."""
    reasons = (UNAVAILABLE,)
    return (
        Say(key="case.assistant_unavailable"),
        OpenCase(label="unclassified", reasons=reasons),
        HandToPerson(reasons=reasons),
    )


async def _ask(
    matter: Matter, mind: Mind, reading: Reading, language: str, account: Mapping[str, Any] | None
) -> Sequence[Command]:
    """`account` is what Rasa and its actions may know of the user: only what is proven now. Raises TurnFailed."""
    conversation, message = matter.conversation, matter.message
    case = matter.case
    words = words_of(matter)
    plain = for_models(words)
    metadata = {
        **reading.as_metadata(),
        "inbox_id": matter.row.id,
        "channel": conversation.channel,
        "language": base(language),
        "account": account,
        "can_prove": mind.identity is not None,
        "case": None if case is None else _of_case(case, matter.facts),
        "urgent": message.urgent,
        "overheard": not message.public.addressed,
        "known": matter.known,
        "live": matter.live,
        "language_wish": message.payload is None and is_only_a_wish(words),
        "reopened": conversation.resolved_at is not None,
        "epoch": conversation.owner_epoch,
        "articles": await _articles(plain, mind, language),
    }
    if plain != words:
        metadata["written"] = harmless(words)
    return await mind.ask(
        f"{conversation.channel}:{conversation.key}",
        plain,
        FILE if not words.strip() and message.payload is None else _command(message.payload),
        matter.row.id,
        base(language),
        metadata,
    )


async def _articles(words: str, mind: Mind, language: str) -> Mapping[str, str]:
    if not words.strip():
        return {}
    return await _study(mind.articles, words[:MAX_CHARACTERS], language, length=len(words))


def _of_case(case: CaseRow, facts: Mapping[str, str]) -> dict[str, Any]:
    return {"number": case.number, "status": case.status, "label": case.label, "facts": dict(facts)}


def _command(payload: str | None) -> str | None:
    """A pressed button as Rasa's command; a made-up name presses nothing."""
    if payload is None:
        return None
    label = payload.removeprefix("class:")
    return f"/{label}" if label != payload and label in CLASSES else BUTTONS.get(payload)
