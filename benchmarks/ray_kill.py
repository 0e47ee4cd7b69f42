"""`pseudolabel --engine ray` while its workers, and the process that started them, are killed.

    python benchmarks/ray_kill.py INPUTS MASKS --masks-every 10 --every 20 --seconds 120 --drivers 2

Every so many seconds one worker gets SIGKILL; the starting process is killed so often in between, and the
same command started again. In the end the files are compared with those of an undisturbed run in one process.
"""

from __future__ import annotations

import argparse
import filecmp
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import header, publish


def main() -> None:
    """Kill, compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("inputs", type=Path)
    parser.add_argument("masks", type=Path)
    parser.add_argument("--masks-every", type=int, default=10, help="of how many masks one is given")
    parser.add_argument("--every", type=float, default=20.0, help="seconds from one kill to the next")
    parser.add_argument("--seconds", type=float, default=120.0, help="for which workers are killed")
    parser.add_argument("--drivers", type=int, default=2, help="times that the starting process is killed")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    chance = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = [sys.executable, "-m", "vsodtool", "pseudolabel", str(given.inputs)]
        command += ["--masks", str(given.masks), "--every", str(given.masks_every), "--quiet"]
        subprocess.run([*command, "-o", str(folder / "whole")], check=True, stdout=subprocess.DEVNULL)
        spread = [*command, "-o", str(folder / "out"), "--engine", "ray", "--workers", str(given.workers)]
        began, workers, drivers, starts = time.monotonic(), 0, 0, 0
        due = began + given.every
        after = [given.seconds * (number + 1) / (given.drivers + 1) for number in range(given.drivers)]
        while True:
            starts += 1
            with subprocess.Popen(spread, stdout=subprocess.DEVNULL) as process:
                while process.poll() is None:
                    time.sleep(0.5)
                    passed = time.monotonic() - began
                    if drivers < len(after) and passed > after[drivers]:
                        process.kill()
                        drivers += 1
                    elif passed < given.seconds and time.monotonic() > due:
                        found = actors_of(process.pid)
                        if found:
                            os.kill(chance.choice(found), signal.SIGKILL)
                            workers += 1
                            due = time.monotonic() + given.every
            if process.returncode != -signal.SIGKILL:
                break
        seconds = time.monotonic() - began
        different = compare(folder / "whole", folder / "out")
        count = sum(path.is_file() for path in (folder / "whole").rglob("*"))
    lines = ["### Workers and starting processes killed: ray_kill.py", "", *header(), ""]
    lines += [
        f"- killed: {workers} workers, {drivers} starting processes; {starts} starts, {seconds:.0f} s",
        f"- exit code of the last: {process.returncode}",
        f"- outputs that differ from the undisturbed run ({count} files): {', '.join(different) or 'none'}",
    ]
    publish(lines, given.out)


def actors_of(driver: int) -> list[int]:
    """The processes of workers that a process started through Ray."""
    parents: dict[int, int] = {}
    actors = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            command = (path / "cmdline").read_bytes()
            parents[int(path.name)] = int((path / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has just ended
            continue
        if command.startswith(b"ray::Actor"):
            actors.append(int(path.name))
    return [actor for actor in actors if driver in ancestors(actor, parents)]


def ancestors(process: int, parents: dict[int, int]) -> set[int]:
    """All processes above one."""
    found = set()
    while process in parents and process not in found:
        found.add(process)
        process = parents[process]
    return found


def compare(one: Path, other: Path) -> list[str]:
    """Names of files that differ or that one of them lacks; the manifest has its own seconds."""
    names = {
        path.relative_to(root).as_posix()
        for root in (one, other)
        for path in root.rglob("*")
        if path.is_file()
    }
    names.discard("manifest.json")
    return [
        name
        for name in sorted(names)
        if not ((one / name).is_file() and (other / name).is_file())
        or not filecmp.cmp(one / name, other / name, shallow=False)
    ]


if __name__ == "__main__":
    main()
