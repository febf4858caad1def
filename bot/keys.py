"""The secrets of one instance, made at the first start and kept in the data folder, readable by its owner only.

One root secret; every purpose derives its own key from it, so that a token made for one cannot serve another.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from base64 import b32encode
from pathlib import Path

FILE = "instance.key"
BYTES = 32


class DamagedKey(Exception):
    """The file of the instance's root secret is not what we wrote: every link and address would change."""


def root_secret(data_dir: Path) -> bytes:
    """Reads or makes the instance's root secret. Raises DamagedKey."""
    path = data_dir / FILE
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        _write_once(path, secrets.token_bytes(BYTES))
    secret = path.read_bytes()
    if len(secret) != BYTES:
        raise DamagedKey(f"{path} is damaged: it must hold {BYTES} bytes. Restore it from a back-up.")
    return secret


def _write_once(path: Path, secret: bytes) -> None:
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(partial, path)  # the first of two starting processes wins
    except FileExistsError:
        pass
    finally:
        partial.unlink()


def derive(secret: bytes, purpose: str) -> bytes:
    return hmac.digest(secret, purpose.encode(), hashlib.sha256)


def signature(key: bytes, *parts: str, bits: int = 128) -> str:
    """A short lower-case signature over `parts`, fit for links and addresses."""
    whole = "\x00".join(parts).encode()
    return b32encode(hmac.digest(key, whole, hashlib.sha256)[: bits // 8]).decode().rstrip("=").lower()
