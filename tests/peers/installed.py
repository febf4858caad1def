"""Where `make test-peers` puts what is no package of the system."""

from __future__ import annotations

import os
from pathlib import Path

_TOOLS = Path(__file__).resolve().parents[2] / ".tools"
PEERS = Path(os.environ.get("PEERS", _TOOLS / "peers"))
PYTHON = _TOOLS / "peers-python" / "bin" / "python"
"""An environment of its own: what is in it must not mix with the desk's."""
