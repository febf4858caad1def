"""Names of files as strangers give them, made fit to show and to store."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath
from typing import Final

MAX_CHARACTERS = 255
_FORBIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Unicode categories: control, format (direction marks such as U+202E, which make "exe.pdf" of "fdp.exe"), lone
surrogates, private use, line and paragraph ends."""
_RESERVED = re.compile(r'[<>:"|?*]')


LONGEST_PATH = 120
LONGEST_ENDING = 12


def _endings(text: str) -> frozenset[str]:
    return frozenset(text.split())


PROGRAMS: Final = _endings(
    "exe com scr pif cpl msi msp msix appx dll sys bat cmd ps1 psm1 vbs vbe js jse wsf wsh hta reg xll "
    "jar apk ipa dmg pkg app deb rpm sh bash command run py pyw elf iso img vhd vhdx"
)
SHORTCUTS: Final = _endings("lnk url scf website desktop library-ms search-ms settingcontent-ms webloc")
MACROS: Final = _endings("docm dotm xlsm xltm xlam xlsb pptm potm ppam ppsm sldm")
ACTIVE: Final = _endings("html htm xhtml xht svg svgz shtml mht mhtml xml xsl chm")
RUNNABLE: Final = PROGRAMS | SHORTCUTS | MACROS
"""Whatever does something when it is opened."""


def clean(given: str, or_else: str = "file") -> str:
    """No folders, no control or direction characters, at most `MAX_CHARACTERS`, the ending kept."""
    last = given.replace("\\", "/").rpartition("/")[2]
    name = " ".join(_RESERVED.sub("_", _harmless(last)).split()).strip(". ")
    if len(name) > MAX_CHARACTERS:
        stem, dot, ending = name.rpartition(".")
        ending = dot + ending if stem and len(ending) <= 15 else ""
        name = name[: MAX_CHARACTERS - len(ending)] + ending
    return name if name.strip("_") else or_else


def ending(name: str) -> str:
    """The last ending in lower case, without its dot; "" when there is none."""
    last = PurePosixPath(name.replace("\\", "/")).name.rstrip(". ")
    stem, dot, found = last.rpartition(".")
    return found.casefold() if dot and stem and len(found) <= LONGEST_ENDING else ""


def shown_path(name: str) -> str:
    """A path inside an archive, to look at: no control or direction characters, its end kept."""
    plain = _harmless(name)
    half = LONGEST_PATH // 2
    return plain if len(plain) <= LONGEST_PATH else f"{plain[:half]}…{plain[-half + 1 :]}"


def _harmless(text: str) -> str:
    return "".join("_" if unicodedata.category(character) in _FORBIDDEN else character for character in text)
