"""One mail transaction with a relay, step by step, so that it is known whether the letter may have been taken.

A relay takes a letter at its final dot, not before. The dot leaves by itself, when everything before it has left: a
fault up to then means "not taken". After it only the relay's own answer tells, and a second copy may be one too many
(RFC 1047).
"""

from __future__ import annotations

import asyncio
import re

import aiosmtplib

from channels.faults import OutcomeUnknown
from channels.mail.send import Letter

BLOCK_BYTES = 64 * 1024
_START = 354
_LINE_END = re.compile(rb"\r\n|\r|\n")
_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)


async def hand_over(client: aiosmtplib.SMTP, writer: asyncio.StreamWriter, letter: Letter, patience: float) -> str:
    """The relay's words of acceptance. `writer` writes to the client's connection; `patience` is in seconds, per step.

    Raises OutcomeUnknown when the final dot has left and no clear answer came. Anything else (SMTPException, OSError;
    ValueError for an address that cannot be spoken) means that the relay did not take the letter.
    """
    await _envelope(client, letter)
    start = await client.execute_command(b"DATA")
    if start.code != _START:
        raise aiosmtplib.SMTPDataError(start.code, start.message)
    await _content(client, writer, letter.content, patience)
    return await _end(client)


async def _envelope(client: aiosmtplib.SMTP, letter: Letter) -> None:
    if client.is_ehlo_or_helo_needed:
        try:
            await client.ehlo()
        except aiosmtplib.SMTPHeloError:
            await client.helo()
    plain = letter.recipient.isascii()
    if not plain and not client.supports_extension("smtputf8"):
        raise aiosmtplib.SMTPNotSupported("SMTPUTF8")
    options = [] if plain else ["SMTPUTF8", "BODY=8BITMIME"]
    if client.supports_extension("size"):
        options.append(f"SIZE={len(letter.content)}")
    encoding = "ascii" if plain else "utf-8"
    await client.mail(letter.sender, options=options, encoding=encoding)
    await client.rcpt(letter.recipient, encoding=encoding)


async def _content(client: aiosmtplib.SMTP, writer: asyncio.StreamWriter, content: bytes, patience: float) -> None:
    # drain() then waits until all has left. Not 0: asyncio's TLS would pause at an empty buffer and never go on.
    writer.transport.set_write_buffer_limits(high=1, low=0)
    stuffed = _stuffed(content)
    for begin in range(0, len(stuffed), BLOCK_BYTES):
        writer.write(stuffed[begin : begin + BLOCK_BYTES])
        async with asyncio.timeout(patience):
            await writer.drain()
    # A connection that closes in an orderly way wakes drain() without an error.
    if not client.is_connected:
        raise aiosmtplib.SMTPServerDisconnected("the connection ended before the letter did")


async def _end(client: aiosmtplib.SMTP) -> str:
    try:
        answer = await client.execute_command(b".")
    except (aiosmtplib.SMTPException, OSError) as error:
        raise OutcomeUnknown(
            f"the mail relay got the whole letter and did not confirm it ({type(error).__name__})"
        ) from error
    if 200 <= answer.code < 300:
        return answer.message
    if 400 <= answer.code < 600:
        raise aiosmtplib.SMTPDataError(answer.code, answer.message)
    raise OutcomeUnknown(f"the mail relay got the whole letter and answered with {answer.code}, which means nothing")


def _stuffed(content: bytes) -> bytes:
    """Whole lines that end with CR LF, a leading dot doubled (RFC 5321 section 4.5.2)."""
    lines = _LEADING_DOT.sub(b"..", _LINE_END.sub(b"\r\n", content))
    return lines if lines.endswith(b"\r\n") else lines + b"\r\n"
