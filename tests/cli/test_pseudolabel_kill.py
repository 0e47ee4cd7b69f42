"""`vsodtool pseudolabel` ended from outside: what is finished stays; the next run ends alike."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.long

COMMAND = [sys.executable, "-m", "vsodtool", "pseudolabel"]
OPTIONS = ["--soft", "--quality", "balanced", "--device", "cpu", "--workers", "1"]


def tree(out: Path) -> dict[str, bytes]:
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }


def end(arguments: list[str], folder: Path, how: signal.Signals, masks: int) -> tuple[int, str]:
    """Start a run, and end it once there are so many masks: exit code and stderr."""
    running = subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", cwd=folder
    )
    written = folder / "out/masks/clip"
    while running.poll() is None and len(list(written.glob("*.png"))) < masks:
        time.sleep(0.005)
    running.send_signal(how)
    out, err = running.communicate()
    assert out == ""
    assert "Traceback" not in err
    return running.returncode, err


def test_the_next_run_comes_to_the_same_result(small_clip: Callable[..., Any], tmp_path: Path) -> None:
    clip = small_clip(40, (192, 256))
    arguments = [*COMMAND, str(clip.folder()), "--masks", str(clip.masks(0, 10, 20, 39)), *OPTIONS]
    subprocess.run([*arguments, "-o", "whole"], cwd=tmp_path, check=True, capture_output=True)
    whole = tree(tmp_path / "whole")
    arguments += ["-o", "out"]
    code, err = end(arguments, tmp_path, signal.SIGINT, 7)
    assert code == 130
    assert err.splitlines()[-1] == "interrupted; run the same command again to continue"
    finished = visible(tmp_path / "out")
    assert 7 <= len(finished) < 80
    assert all(whole[name] == data for name, data in finished.items())
    code, err = end(arguments, tmp_path, signal.SIGKILL, 22)
    assert code == -signal.SIGKILL
    later = visible(tmp_path / "out")
    assert finished.items() <= later.items() <= whole.items()
    done = subprocess.run(arguments, cwd=tmp_path, check=True, capture_output=True)
    assert b"continuing an earlier run" in done.stderr
    assert tree(tmp_path / "out") == whole


def visible(out: Path) -> dict[str, bytes]:
    """What a user sees: the pictures under their final names."""
    return {name: data for name, data in tree(out).items() if Path(name).match("[!.]*.png")}
