"""The benchmark scripts run, and what they compare with is what they say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vsodtool.data.generated.clip import ClipConfig, generate_clip
from vsodtool.media.images import write_png
from vsodtool.metrics import region_j

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A DAVIS-style root of one short clip."""
    clip = generate_clip(ClipConfig(frames=7, height=60, width=80))
    for name, frame, mask in zip(clip.names, clip.frames, clip.masks, strict=True):
        write_png(tmp_path / "JPEGImages" / "480p" / "star" / f"{name}.png", frame)
        write_png(tmp_path / "Annotations" / "480p" / "star" / f"{name}.png", mask.astype(np.uint8) * 255)
    return tmp_path


def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCHMARKS / script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_densify_scores_the_baselines(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "figures.md"
    done = run(
        "densify.py", str(root), "--every", "3", "--methods", "copy", "shape", "direct", "--out", str(out)
    )
    assert done.returncode == 0, done.stderr
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in done.stdout.splitlines() if "|" in line
    ]
    found = {(row[0], row[1]): float(row[2]) for row in rows[2:]}
    masks = generate_clip(ClipConfig(frames=7, height=60, width=80)).masks
    pairs = [(1, 0), (2, 3), (4, 3), (5, 6)]
    expected = np.mean([region_j(masks[near], masks[index]) for index, near in pairs])
    assert found["star", "copy nearest mask"] == pytest.approx(expected, abs=1e-4)
    assert found["mean", "copy nearest mask"] == found["star", "copy nearest mask"]
    assert set(found) == {
        (name, method)
        for name in ("mean", "star")
        for method in ("copy nearest mask", "interpolate signed distances", "direct flow")
    }
    assert out.read_text(encoding="utf-8").strip() == done.stdout.strip()


def test_densify_refuses_a_root_without_masks(root: Path) -> None:
    (root / "Annotations" / "480p" / "star" / "00003.png").unlink()
    done = run("densify.py", str(root), "--methods", "copy")
    assert done.returncode == 1
    assert "00003.png is missing" in done.stderr


def test_throughput_wants_something_to_do() -> None:
    done = run("throughput.py")
    assert done.returncode == 2
    assert "--frames" in done.stderr


def test_long_video_has_its_masks(tmp_path: Path) -> None:
    done = run("long_video.py", str(tmp_path), "--frames", "12", "--height", "48", "--width", "64")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "long.mp4").stat().st_size > 0
    assert [path.stem for path in sorted((tmp_path / "masks").iterdir())] == ["000000", "000010", "000011"]
