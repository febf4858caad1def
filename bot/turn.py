"""One conversation at a time, in order: read a message, think, and one commit that ends it (`bot/finish.py`)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Connection

from actions.commands import Command
from bot import filenames
from bot.clock import Clock
from bot.files import Files
from bot.filetypes import HEAD_BYTES, MAX_TYPE_CHARACTERS, content_type
from bot.finish import Ending, EvidenceRow, Finish, Finished
from bot.hub import OUTBOX, QUEUE, Hub, conversation_topic
from bot.inbox import Claim
from bot.matter import Matter, Thought, begin
from bot.metrics import attempted, delivered, step, turned
from bot.opening import Opening
from bot.rasa_client import TurnFailed
from bot.repository import conversations
from bot.repository import inbox as inbox_rows
from bot.repository.inbox import InboxRow
from bot.store.store import Store
from bot.thinking import Mind, think
from channels.contract import Channel, ReadMessage
from channels.faults import RetryLater
from channels.files_contract import Attachment, Kept
from escalation.impostors import Sighting, look
from escalation.queue import BOT

log = structlog.get_logger()
RETRY = timedelta(seconds=0.5)
DISK_RETRY = timedelta(seconds=5)
UNDER_WAY = timedelta(seconds=10)
"""So much later than its answer a message may be stored."""


@dataclass(frozen=True, kw_only=True)
class Turner:
    """Works through the messages of a claimed conversation."""

    store: Store
    channels: Mapping[str, Channel]
    raw: Files
    evidence: Files
    clock: Clock
    hub: Hub
    mind: Mind
    finish: Finish
    max_attempts: int
    max_deaths: int

    async def work(self, claim: Claim) -> None:
        """Ends every waiting message of the conversation, oldest first. Raises LeaseLost, NotStored."""
        matter = claim.first or await self._next(claim)
        while matter is not None:
            finished = await self._one(claim, matter)
            if finished is None or not finished.more:
                return
            matter = finished.next or await self._next(claim)
        await self._release(claim)

    async def note_failure(self, claim: Claim, error: Exception) -> None:
        """A turn broke by a fault of ours: counted, and tried again a little later."""
        log.error("turn_broke", conversation_id=claim.conversation_id, exc_info=error)
        turned("broke")

        def count(connection: Connection) -> None:
            row = inbox_rows.oldest_unfinished(connection, claim.conversation_id)
            if row is not None:
                attempted("turn")
                inbox_rows.count_attempt(connection, row.id, type(error).__name__)

        await self.store.write(count)
        await self._release(claim, RETRY)

    async def _next(self, claim: Claim) -> Matter | None:
        def find(connection: Connection) -> Matter | None:
            row = inbox_rows.oldest_unfinished(connection, claim.conversation_id)
            if row is None:
                return None
            return begin(connection, row, conversations.get(connection, claim.conversation_id))

        return await self.store.read(find)

    async def _one(self, claim: Claim, matter: Matter) -> Finished | None:
        """One message. None when it waits for another try; then the conversation is ours no more."""
        row = matter.row
        if row.attempts >= self.max_attempts or row.deaths >= self.max_deaths:
            log.error("parked", inbox_id=row.id, reason=row.error)
            return self._announced(
                matter, await self.store.write(lambda connection: self.finish.parked(connection, claim, row))
            )
        try:
            thought = await self._think(matter)
            evidence = await self._keep_attachments(thought)
        except (TurnFailed, RetryLater) as failure:
            log.info("turn_waits", inbox_id=row.id, reason=failure.reason)
            turned("waits")
            await self._release(claim, RETRY if isinstance(failure, TurnFailed) else DISK_RETRY)
            return None
        ending = Ending(claim=claim, thought=thought, evidence=evidence)
        with step("finish"):
            finished = await self.store.write_together(self.finish.done, ending)
        return self._announced(thought.matter, finished)

    async def _think(self, matter: Matter) -> Thought:
        """Raises TurnFailed while the user can wait for another try, RetryLater when the channel cannot read now."""
        row, channel = matter.row, self.channels[matter.row.channel]
        message, over, impostor = await self._read(matter, channel)

        def patient(failure: TurnFailed) -> bool:
            """Only a message that never reached Rasa may go there again, and only while its sender can wait."""
            age = (self.clock() - row.received_at).total_seconds()
            patience = channel.capabilities.patience_seconds
            return failure.again_seconds is not None and age + failure.again_seconds < patience

        last_try = row.attempts >= self.max_attempts - 1
        mind = replace(self.mind, ask=_ask_nobody) if last_try else self.mind
        known = not message.public.addressed and await self._is_known(matter)
        able = channel.capabilities
        may_subscribe = able.broadcasts and not able.reaches
        read = replace(
            matter,
            message=message,
            live=able.live,
            may_subscribe=may_subscribe,
            over_cap=over,
            impostor=impostor,
            known=known,
        )
        return await think(read, mind, patient)

    async def _read(self, matter: Matter, channel: Channel) -> tuple[ReadMessage, bool, Sighting | None]:
        """The message, whether it is over a cap, and who poses as us. That is asked before a file is fetched: while it
        is not known yet, the message is read again and again. Raises RetryLater when the channel cannot read now."""
        row = matter.row
        raw = row.raw if row.raw is not None else await asyncio.to_thread(self.raw.get, row.raw_sha256)
        opening = Opening(store=self.store, clock=self.clock)
        with step("read"):
            skimmed, over = await opening.skim(channel, row, raw, bots=matter.conversation.owner == BOT)
            impostor = await self._impostor(matter, skimmed)
            return await opening.fetch(channel, row, raw, skimmed=skimmed, over=over), over, impostor

    async def _is_known(self, matter: Matter) -> bool:
        """Whether the author has talked with us before, or has a case; asked of messages that do not speak to us."""
        conversation = matter.conversation
        if conversation.case_id is not None or conversation.person_id is not None:
            return True
        return await self.store.read(lambda connection: inbox_rows.talked_before(connection, conversation.id))

    async def _impostor(self, matter: Matter, message: ReadMessage) -> Sighting | None:
        """What is known of an author who poses as us to our users. Raises RetryLater while whom they answer may be on
        the way: networks tell of several posts at once."""
        posing = message.public.posing
        if posing is None:
            return None
        sighting = await self.store.read(lambda connection: look(connection, matter.conversation, posing))
        if sighting.is_open and self.clock() - matter.row.received_at < UNDER_WAY:
            raise RetryLater("the message that this one answers may be on its way")
        return sighting if sighting.is_impostor else None

    async def _keep_attachments(self, thought: Thought) -> Sequence[EvidenceRow]:
        """Raises RetryLater when the disk does not take them: never the text without its evidence."""
        if not thought.matter.message.attachments:
            return ()
        try:
            return await asyncio.to_thread(self._put_attachments, thought)
        except OSError as error:
            raise RetryLater(f"the evidence cannot be written ({error.strerror})") from error

    def _put_attachments(self, thought: Thought) -> Sequence[EvidenceRow]:
        row: InboxRow = thought.matter.row
        attachments = thought.matter.message.attachments
        kept = [file.kept or Kept(sha256=self.evidence.put(file.data), size=len(file.data)) for file in attachments]
        return [
            {
                "inbox_id": row.id,
                "ordinal": ordinal,
                "conversation_id": row.conversation_id,
                "sha256": file.sha256,
                "size": file.size,
                "filename": filenames.clean(attachment.filename),
                "content_type": _type_of(attachment),
                "collected_at": self.clock(),
            }
            for ordinal, (attachment, file) in enumerate(zip(attachments, kept, strict=True))
        ]

    async def _release(self, claim: Claim, pause: timedelta | None = None) -> None:
        """Gives the conversation up, for `pause` if something has to be waited for."""
        until = None if pause is None else self.clock() + pause
        await self.store.write(
            lambda connection: conversations.release_lease(connection, claim.conversation_id, claim.token, until)
        )

    def _announced(self, matter: Matter, finished: Finished) -> Finished:
        conversation = matter.conversation
        # First whoever watches the conversation: its user sees the answer before anything else is looked at.
        if finished.news is None:
            self.hub.publish(conversation_topic(conversation.channel, conversation.key))
        else:
            self.hub.tell(conversation_topic(conversation.channel, conversation.key), finished.news)
        touched = matter.impostor.posing.answers if matter.impostor else ()
        self.hub.publish(*(conversation_topic(conversation.channel, key) for key in touched), QUEUE)
        if finished.to_send:
            self.hub.publish(OUTBOX)
        else:
            delivered("sent", finished.said)
        turned(finished.outcome)
        log.debug("turn_done", inbox_id=matter.row.id, conversation_id=conversation.id, outcome=finished.outcome)
        return finished


def _type_of(attachment: Attachment) -> str:
    """By content. That of a file which came ahead of its message was found when it came (`bot/uploads.py`)."""
    if attachment.kept is not None:
        return attachment.content_type[:MAX_TYPE_CHARACTERS]
    return content_type(attachment.data[:HEAD_BYTES])


async def _ask_nobody(*_arguments: Any, **_named: Any) -> Sequence[Command]:
    """Takes Rasa's place after turns that broke: what broke them may be its answer, and the user waits."""
    raise TurnFailed("earlier turns broke over this message")
