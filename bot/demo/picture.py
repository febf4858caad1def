"""A small PNG to attach: a grey rectangle with a darker bar, as valid as any screenshot."""

from __future__ import annotations

import struct
import zlib

WIDTH, HEIGHT = 64, 32


def screenshot() -> bytes:
    rows = b"".join(b"\0" + bytes([96 if 12 <= y < 20 else 208]) * WIDTH for y in range(HEIGHT))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 0, 0, 0, 0)  # 8 bits of grey (PNG specification, 11.2.2)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
