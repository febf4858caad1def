"""A picture drawn anew: small, upright, without anything that was hidden in the original."""

from __future__ import annotations

from io import BytesIO
from typing import BinaryIO

from PIL import Image, ImageOps

LONGEST_SIDE = 512
MOST_PIXELS = 50_000_000
"""A telephone's largest photo has 50 million; more is not decoded."""
MOST_RATIO = 50
"""Longer stripes than this show nothing at 512 pixels."""
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
_TYPES = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})


def drawable(content_type: str) -> bool:
    return content_type in _TYPES


def redrawn(file: BinaryIO) -> tuple[bytes, int, int]:
    """A PNG of the first frame with its width and height. Raises ValueError, OSError, and what decoders raise on
    hostile bytes."""
    with Image.open(file, formats=FORMATS) as original:
        width, height = original.size
        if not 0 < width * height <= MOST_PIXELS or max(width, height) > MOST_RATIO * min(width, height):
            raise ValueError("too many pixels")
        original.thumbnail((LONGEST_SIDE, LONGEST_SIDE))  # a JPEG is decoded at the smaller size at once
        upright = ImageOps.exif_transpose(original)
        has_gaps = "A" in upright.getbands() or "transparency" in upright.info
        plain = upright.convert("RGBA" if has_gaps else "RGB")
    plain.info = {}  # place, device, colour profile, comments
    sink = BytesIO()
    plain.save(sink, format="PNG")
    return sink.getvalue(), plain.width, plain.height
