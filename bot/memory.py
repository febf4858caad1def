"""What a long-lived process does with its memory once everything that it needs is loaded.

Big things are loaded one after the other: loading leaves a lot of small rubbish behind, and what another thread loads
meanwhile lies in between, so that none of it can be given back (45 MB of the app).
"""

from __future__ import annotations

import ctypes
import gc

COLLECT_AFTER = 20_000
"""New objects."""


def settle_down() -> None:
    """What is there now stays: the collector need not walk through it with a user waiting, a tenth of a second a time.

    Turns leave few cycles behind, so that it may look for them less often than after every 700 objects.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)


def give_back_memory() -> None:
    """Loading needs more than what is loaded, and the C library keeps the difference for itself unless it is asked."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it, others need none
    if trim is not None:
        trim(0)
