"""The program of one look: a file on standard input, what it is on standard output. Reads one file and ends.

python -m bot.attachments.worker_process <seconds of CPU> <bytes of memory>
"""

from __future__ import annotations

import json
import os
import resource
import struct
import sys

HEAD = struct.Struct("<I")
"""Length of the JSON before it; after it comes the preview, if there is one, to the end."""


def main() -> None:
    seconds, memory_bytes = int(sys.argv[1]), int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # it writes to its pipe and to no file
    from bot.attachments.facts import facts_of  # under the limits, like all that follows

    with os.fdopen(0, "rb") as file:
        found = facts_of(file)
    told = json.dumps(found.told).encode()
    sys.stdout.buffer.write(HEAD.pack(len(told)) + told + found.preview)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
