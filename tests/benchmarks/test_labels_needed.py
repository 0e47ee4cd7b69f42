"""The search finds the coarsest spacing that is good enough, and asks nothing twice."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsodtool.media.images import read_grey
from vsodtool.metrics import region_j

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
Script = Callable[[str], ModuleType]


@pytest.fixture
def tool(script: Script) -> ModuleType:
    return script("labels_needed")


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCHMARKS / "labels_needed.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_bisection_finds_the_first_rung_that_reaches(tool: ModuleType) -> None:
    @settings(deadline=None)
    @given(st.integers(1, 20), st.integers(0, 45))
    def check(rungs: int, enough: int) -> None:
        ladder, asked = [2 * rung for rung in range(rungs, 0, -1)], []

        def reaches(every: int) -> bool:
            asked.append(every)
            return every <= enough

        expected = next((every for every in ladder if every <= enough), None)
        assert tool.coarsest(ladder, reaches) == expected
        assert len(asked) <= 1 + np.log2(len(ladder))

    check()


def test_methods_are_names_or_options(tool: ModuleType, tmp_path: Path) -> None:
    assert tool.Method.parse("shape") == ("shape", ())
    assert tool.Method.parse("warp") == ("warp", ("--method", "warp"))
    weights = tmp_path / "w.safetensors"
    weights.write_bytes(b"1")
    method = tool.Method.parse(f"net=--method fgplg --weights {weights}")
    assert method == ("net", ("--method", "fgplg", "--weights", str(weights)))
    before = method.key()
    assert before.startswith("--method fgplg")
    weights.write_bytes(b"2")
    assert method.key() != before


def test_j_is_the_mean_over_frames_that_were_not_given(tool: ModuleType, boxes: Path, tmp_path: Path) -> None:
    quick, still = tool.find_sequences(boxes)
    assert tool.measure_j(still, tool.Method.parse("copy"), 4, tmp_path) == 1
    masks = [read_grey(path) > 127 for path in quick.masks]
    near = {1: 0, 2: 0, 3: 4, 5: 4, 6: 4, 7: 8}  # frames 0, 4, 8 are given
    expected = np.mean([region_j(masks[there], masks[index]) for index, there in near.items()])
    assert tool.measure_j(quick, tool.Method.parse("copy"), 4, tmp_path) == pytest.approx(expected)


def test_all_given_is_perfect(tool: ModuleType, boxes: Path, tmp_path: Path) -> None:
    quick = tool.find_sequences(boxes, ["quick"])[0]
    short = tool.Sequence("quick", quick.frames[:2], quick.masks[:2])
    assert tool.measure_j(short, tool.Method.parse("copy"), 8, tmp_path) == 1


def test_masks_are_counted_and_kept(boxes: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    command = (boxes, work, "--method", "shape", "--ladder", 2, 4, 8, "--out", tmp_path / "f.md")
    done = run(*command)
    assert done.returncode == 0, done.stderr
    rows = {line.split("|")[1].strip(): line for line in done.stdout.splitlines() if line.startswith("|")}
    assert [cell.strip() for cell in rows["still"].split("|")[2:6]] == ["9", "2", "8", "1.000"]
    assert [cell.strip() for cell in rows["quick"].split("|")[2:5]] == ["9", "9", "never"]
    assert "| 18 | **11** | 61% |" in done.stdout
    assert (tmp_path / "f.md").read_text(encoding="utf-8").strip() == done.stdout.strip()
    kept = work / "labels_needed.json"
    assert {name.split(" | ")[2] for name in json.loads(kept.read_text())["results"]} == {"2", "4", "8"}
    again = run(*command)
    assert again.returncode == 0, again.stderr
    assert again.stderr == ""  # nothing was measured anew


def test_one_folder_belongs_to_one_root(boxes: Path, tmp_path: Path) -> None:
    (tmp_path / "labels_needed.json").write_text('{"settings": {"root": "elsewhere"}, "results": {}}')
    done = run(boxes, tmp_path, "--method", "copy")
    assert done.returncode == 1
    assert "begun with root elsewhere" in done.stderr


def test_a_ladder_leaves_something_to_fill_in(boxes: Path, tmp_path: Path) -> None:
    done = run(boxes, tmp_path, "--ladder", 1)
    assert done.returncode == 2
    assert "at least 2" in done.stderr


def test_inset_masks_leave_a_third_at_both_ends(tool: ModuleType, boxes: Path, tmp_path: Path) -> None:
    quick = tool.find_sequences(boxes, ["quick"])[0]
    placed = dataclasses.replace(quick, inset=True)
    assert (quick.given(4), placed.given(4)) == ([0, 4, 8], [1, 5])
    command = (boxes, tmp_path, "--spacing", "inset", "--ladder", 4, "--target", 0.01, "--sequences", "quick")
    refused = run(*command, "--method", "copy")
    assert refused.returncode == 2
    assert "fill between two masks only" in refused.stderr
    done = run(*command, "--method", "warp=--method warp --quality fast")
    assert done.returncode == 0, done.stderr
    assert "| quick | 9 | 2 | 4 |" in done.stdout
