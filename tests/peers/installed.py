"""Where `make test-peers` puts what is no package of the system."""

from __future__ import annotations

import os
from pathlib import Path

PEERS = Path(os.environ.get("PEERS", Path(__file__).resolve().parents[2] / ".tools" / "peers"))
