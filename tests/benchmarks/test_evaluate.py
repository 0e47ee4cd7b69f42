"""The benchmark of `evaluate` runs, and finds that both sides agree."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vsodtool.media.images import write_png

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "evaluate.py"


def test_both_sides_agree(tmp_path: Path) -> None:
    pytest.importorskip("py_sod_metrics")
    for index in range(3):
        mask = np.zeros((40, 60), np.uint8)
        mask[10:30, 10 + index : 40 + index] = 255
        write_png(tmp_path / "Annotations" / "480p" / "box" / f"{index:05d}.png", mask)
    command = [sys.executable, str(SCRIPT), str(tmp_path), "--repeat", "1", "--out", str(tmp_path / "f.md")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "3 frames" in done.stdout
    found = re.search(r"greatest difference of an average: (\S+)", done.stdout)
    assert found is not None
    assert float(found[1]) < 1e-9
    assert (tmp_path / "f.md").read_text(encoding="utf-8").strip() == done.stdout.strip()
