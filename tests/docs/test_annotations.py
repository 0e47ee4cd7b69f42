"""docs/annotations.sh does what it says, on real video: CVAT in, labels, CVAT and Label Studio out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import vsodtool

SCRIPT = Path(vsodtool.__file__).parent.parent / "docs" / "annotations.sh"


@pytest.mark.skipif(os.name == "nt", reason="a shell script")
def test_the_script_runs_as_it_stands(shared: Path, tmp_path: Path) -> None:
    videos, work = shared / "data" / "videos", tmp_path / "work"
    options = ["--quality", "fast", "--method", "warp", "--device", "cpu", "--workers", "1", "--quiet"]
    done = subprocess.run(
        ["sh", str(SCRIPT), str(videos / "chair.mp4"), str(videos / "chair_masks"), str(work), *options],
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # The last table: given frames against the export itself, pixel for pixel.
    assert done.stdout.splitlines()[-1].split()[2:4] == ["6", "1.0000"]
    for name in ("back", "tasks"):
        scores = json.loads((work / f"{name}-scores.json").read_text("utf-8"))["scores"]
        assert scores["j_mean"] > 0.94  # of the 53 frames that were not drawn; .957 on 28 November 2026
    assert '<image id="59" name="frame_000059"' in (work / "back.xml").read_text("utf-8")
    tasks = json.loads((work / "tasks.json").read_text("utf-8"))
    assert len(tasks) == 60
    assert min(task["predictions"][0]["score"] for task in tasks) < 1
