"""The program of one parser process: mails in on standard input, what they say or who signed them on standard output.

python -m channels.mail.parser_process <seconds of CPU per mail> <bytes of memory>
"""

from __future__ import annotations

import json
import resource
import sys
from typing import BinaryIO

from channels.mail.dkim_result import signed_by
from channels.mail.frames import READY, SIZES, packed, packed_domains, packed_html
from channels.mail.html_form import html_form
from channels.mail.parse import parse


def main() -> None:
    seconds, memory_bytes = float(sys.argv[1]), int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    sink.write(READY)
    sink.flush()
    while (answer := _next(source, seconds)) is not None:
        sink.write(answer)
        sink.flush()


def _next(source: BinaryIO, seconds: float) -> bytes | None:
    """The answer to the next request. None at the end of input: the desk has stopped, or died."""
    sizes = source.read(SIZES.size)
    if len(sizes) < SIZES.size:
        return None
    head_size, raw_size = SIZES.unpack(sizes)
    head, raw = json.loads(source.read(head_size)), source.read(raw_size)
    _allow_cpu(seconds)
    if "keys" in head:
        return packed_domains(signed_by(raw, head["keys"]))
    if "html" in head:
        return packed_html(html_form(raw))
    return packed(parse(raw, str(head["sender"])))


def _allow_cpu(seconds: float) -> None:
    """The kernel's limit counts from the start of the process, so each mail raises it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main()
