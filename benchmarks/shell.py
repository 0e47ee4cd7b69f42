"""`vsodtool` as a user runs it, and results that outlive an interruption, for the benchmarks."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


def vsodtool(*arguments: str | Path) -> dict[str, Any]:
    """Run a command with --json; its stderr is shown, its object returned.

    Raises:
        SystemExit: it failed, with the command and the exit status.
    """
    command = [sys.executable, "-m", "vsodtool", *map(str, arguments), "--json", "--quiet"]
    print(" ".join(["$ vsodtool", *command[3:]]), file=sys.stderr, flush=True)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"exit status {done.returncode} of: vsodtool {' '.join(command[3:])}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def digests(words: Iterable[str]) -> list[str]:
    """Beginnings of the SHA-256 of the files among `words`, as results depend on what is in them."""
    files = [Path(word) for word in words if Path(word).is_file()]
    return [hashlib.sha256(file.read_bytes()).hexdigest()[:16] for file in files]


class Kept:
    """Results by name in one JSON file, whole after every addition.

    Args:
        path: the file; begun where it is missing.
        settings: what all results have in common.

    Raises:
        SystemExit: the file was begun with other settings.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        self._path = path
        self._settings = json.loads(json.dumps(settings))
        self._results: dict[str, Any] = {}
        if path.is_file():
            found = json.loads(path.read_text(encoding="utf-8"))
            for name in sorted(found["settings"].keys() | self._settings.keys()):
                old, new = found["settings"].get(name), self._settings.get(name)
                if old != new:
                    raise SystemExit(f"{path} was begun with {name} {old}, now {new}: use another folder")
            self._results = found["results"]

    def __contains__(self, name: str) -> bool:
        return name in self._results

    def __getitem__(self, name: str) -> Any:
        return self._results[name]

    def __setitem__(self, name: str, result: Any) -> None:
        self._results[name] = result
        self._path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"settings": self._settings, "results": self._results}, indent=1)
        fresh = self._path.with_suffix(".new")
        fresh.write_text(f"{text}\n", encoding="utf-8")
        fresh.replace(self._path)
