"""On what was it measured? Kind and size of the machine and versions; never its name, nor a path."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("sqlalchemy", "psycopg", "uvicorn", "websockets", "aiosmtpd", "httpx", "rasa-sdk", "numpy")


def describe(folder: Path) -> Mapping[str, str]:
    """What a reader needs to judge the figures; `folder` names the disk."""
    return {
        "cores": f"{os.cpu_count()} x {_first_value('/proc/cpuinfo', 'model name')}",
        "memory": f"{_memory_gib():.0f} GiB",
        "disk": _disk(folder),
        "system": f"{platform.system()} {platform.release()}",
        "load before": f"{os.getloadavg()[0]:.2f}",
        "versions": ", ".join(f"{name} {number}" for name, number in _versions().items()),
    }


def _versions() -> Mapping[str, str]:
    found = {"Python": platform.python_version(), "SQLite": sqlite3.sqlite_version, "Postfix": _postfix()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return {name: number for name, number in found.items() if number}


def _postfix() -> str:
    tool = shutil.which("postconf", path="/usr/sbin:/usr/bin")
    if tool is None:
        return ""
    asked = subprocess.run([tool, "-d", "-h", "mail_version"], capture_output=True, text=True, check=False)  # noqa: S603
    return asked.stdout.strip()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3


def _disk(folder: Path) -> str:
    """Model, kind and file system of the disk under `folder`, as far as the kernel tells."""
    device = folder.stat().st_dev
    place = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}")
    whole = place.resolve().parent if (place / "partition").exists() else place
    model = _read(whole / "device" / "model") or "virtual disk"
    turning = _read(whole / "queue" / "rotational")
    kind = {"0": "solid state", "1": "declared as rotating"}.get(turning, "kind unknown")
    return f"{model}, {kind}, {_file_system(f'{os.major(device)}:{os.minor(device)}')}"


def _file_system(device: str) -> str:
    for line in _read(Path("/proc/self/mountinfo")).splitlines():
        fields = line.split()
        if fields[2] == device:
            return fields[fields.index("-") + 1]
    return "file system unknown"


def _first_value(file: str, name: str) -> str:
    for line in _read(Path(file)).splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return platform.machine()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
