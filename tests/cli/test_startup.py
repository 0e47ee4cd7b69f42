"""Help and usage errors answer at once, because nothing heavy is imported for them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

HEAVY = ("torch", "torchvision", "numpy", "cv2", "av", "imageio", "scipy", "PIL", "matplotlib")
PROGRAM = f"""
import sys
from vsodtool.cli import main
try:
    main()
except SystemExit as end:
    heavy = [name for name in {HEAVY} if name in sys.modules]
    sys.stderr.write(f"\\ncode {{end.code}}, heavy {{heavy}}\\n")
"""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], 0),
        (["--version"], 0),
        (["flow", "--help"], 0),
        (["pseudolabel", "--help"], 0),
        (["predict", "--help"], 0),
        (["evaluate", "--help"], 0),
        (["train", "--help"], 0),
        (["demo", "--help"], 0),
        (["weights", "--help"], 0),
        (["weights", "convert", "--help"], 0),
        (["weights", "list"], 0),
        (["weights", "show", "raft-small"], 0),
        (["weights"], 2),
        ([], 2),
        (["flow"], 2),
        (["flow", "clip.mp4"], 2),
        (["flow", "clip.mp4", "-o", "out", "--bogus"], 2),
        (["flow", "clip.mp4", "-o", "out", "--step", "0"], 2),
        (["pseudolabel", "clip.mp4", "-o", "out"], 2),
        (["pseudolabel", "clip.mp4", "-o", "out", "--masks", "m", "--quality", "superb"], 2),
        (["predict", "clip.mp4"], 2),
        (["predict", "clip.mp4", "-o", "out", "--stride", "5"], 2),
        (["evaluate"], 2),
        (["evaluate", "a", "b", "c"], 2),
        (["evaluate", "a", "b", "--protocol", "coco"], 2),
        (["demo", "--config", "none.yaml"], 2),
        (["train"], 2),
    ],
    ids=str,
)
def test_nothing_heavy_is_imported(arguments: list[str], code: int, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        capture_output=True,
        encoding="utf-8",
        cwd=tmp_path,
        check=True,
    )
    assert done.stderr.splitlines()[-1] == f"code {code}, heavy []"
    assert bool(done.stdout) == (code == 0)


def test_scoring_masks_needs_neither_videos_nor_annotations(tmp_path: Path) -> None:
    for name in ("maps", "truth"):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / "0.png"), np.eye(8, dtype=np.uint8) * 255)
    rest = ("torch", "torchvision", "av", "imageio", "pycocotools", "defusedxml", "matplotlib")
    program = PROGRAM.replace(str(HEAVY), str(rest))
    done = subprocess.run(
        [sys.executable, "-c", program, "evaluate", "maps", "truth", "--keep-ends", "--workers", "1"],
        capture_output=True,
        encoding="utf-8",
        cwd=tmp_path,
        check=True,
    )
    assert done.stderr.splitlines()[-1] == "code 0, heavy []"
