"""`vsodtool pseudolabel` ended from outside: what is finished stays; the next run ends alike."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.outputs import end_when, tree, visible

pytestmark = pytest.mark.long

COMMAND = [sys.executable, "-m", "vsodtool", "pseudolabel"]
OPTIONS = ["--soft", "--quality", "balanced", "--device", "cpu", "--workers", "1"]


def test_the_next_run_comes_to_the_same_result(small_clip: Callable[..., Any], tmp_path: Path) -> None:
    clip = small_clip(40, (192, 256))
    arguments = [*COMMAND, str(clip.folder()), "--masks", str(clip.masks(0, 10, 20, 39)), *OPTIONS]
    subprocess.run([*arguments, "-o", "whole"], cwd=tmp_path, check=True, capture_output=True)
    whole = tree(tmp_path / "whole")
    arguments += ["-o", "out"]
    code, err = end_when(arguments, tmp_path, "out/masks/clip", 7, signal.SIGINT)
    assert code == 130
    assert err.splitlines()[-1] == "interrupted; run the same command again to continue"
    finished = visible(tmp_path / "out")
    assert 7 <= len(finished) < 80
    assert all(whole[name] == data for name, data in finished.items())
    code, err = end_when(arguments, tmp_path, "out/masks/clip", 22, signal.SIGKILL)
    assert code == -signal.SIGKILL
    later = visible(tmp_path / "out")
    assert finished.items() <= later.items() <= whole.items()
    done = subprocess.run(arguments, cwd=tmp_path, check=True, capture_output=True)
    assert b"continuing an earlier run" in done.stderr
    assert tree(tmp_path / "out") == whole
