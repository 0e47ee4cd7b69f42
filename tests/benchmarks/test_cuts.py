"""The benchmark of cuts runs and counts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.scenes import scene
from vsodtool.media.images import write_png

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "cuts.py"


def test_cuts_are_counted(tmp_path: Path) -> None:
    for seed in range(3):
        for index, frame in enumerate(scene(seed, 40, speed=1)):
            write_png(tmp_path / "videos" / f"v{seed}" / f"{index:05d}.png", frame)
    command = [sys.executable, str(SCRIPT), str(tmp_path / "videos"), "--joins", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "| videos | 120 | 0 |" in done.stdout
    assert "| joined | 2 | 2 found, 0 others |" in done.stdout
