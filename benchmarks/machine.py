"""What every benchmark prints: machine, date, commit and command above its figures, and where to."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def header() -> list[str]:
    """Lines of markdown that say where, when and how the figures came about."""
    command = shlex.join(["python", os.path.relpath(sys.argv[0], ROOT), *sys.argv[1:]])
    machine = f"{_processor()}, {os.cpu_count()} cores, {_memory_gib()} GiB"
    return [
        f"- machine: {machine}; Python {platform.python_version()}",
        f"- date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {_commit()}",
        f"- command: `{command}`",
    ]


def publish(lines: list[str], out: Path | None) -> None:
    """Print a section of markdown, and append it to a file where one is named."""
    print("\n".join(lines))
    if out is not None:
        with out.open("a", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n\n")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _memory_gib() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)


def _commit() -> str:
    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    name = git("rev-parse", "--short", "HEAD") or "unknown"
    return f"{name} with local changes" if git("status", "--porcelain", "-uno") else name
