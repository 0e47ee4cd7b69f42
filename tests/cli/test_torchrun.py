"""torchrun and job arrays as users meet them: processes that share one output folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.cli.outputs import tree

Process = Callable[..., subprocess.CompletedProcess[str]]

VSODTOOL = [sys.executable, "-m", "vsodtool"]
TORCHRUN = [
    sys.executable,
    "-m",
    "torch.distributed.run",
    "--standalone",
    "--nproc-per-node",
    "2",
    "-m",
    "vsodtool",
]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no flock and no signals on Windows")


def torchrun(folder: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*TORCHRUN, *arguments], input=stdin, capture_output=True, encoding="utf-8", cwd=folder, check=False
    )


def videos(folder: Path, lengths: dict[str, int], size: tuple[int, int]) -> None:
    for name, length in lengths.items():
        (folder / "in" / name).mkdir(parents=True)
        for index in range(length):
            picture = np.random.default_rng(index).integers(0, 256, (*size, 3), dtype=np.uint8)
            cv2.imwrite(str(folder / "in" / name / f"{index:03d}.png"), picture)


def test_one_report_for_all_ranks(tmp_path: Path) -> None:
    videos(tmp_path, {"b": 5, "a": 3, "c": 4}, (24, 32))
    (tmp_path / "in/b/002.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    subprocess.run([*VSODTOOL, "flow", "in", "-o", "whole"], cwd=tmp_path, capture_output=True, check=False)
    earlier = subprocess.run(
        [*VSODTOOL, "flow", "in", "-o", "out", "--step", "2"], cwd=tmp_path, capture_output=True, check=False
    )
    assert earlier.returncode == 3
    done = torchrun(tmp_path, "flow", "-", "-o", "out", "--overwrite", "--json", stdin="in/b\nin/a\nin/c\n")
    report = json.loads(done.stdout)
    assert [(video["name"], video["flows"], video["missing"]) for video in report["videos"]] == [
        ("a", 2, 0),
        ("b", 2, 2),
        ("c", 3, 0),
    ]
    assert len(report["losses"]) == 1
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert errors == ["error: rank 0: not everything could be read: " + report["losses"][0]]
    assert done.returncode == 1  # torchrun's own, which names that of the rank
    assert "exitcode  : 3" in done.stderr
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")
    assert json.loads((tmp_path / "out/manifest.json").read_text())["status"] == "complete"


def test_a_usage_error_is_said_once(tmp_path: Path) -> None:
    done = torchrun(tmp_path, "flow", "nothing", "-o", "out")
    assert done.stdout == ""
    assert done.stderr.count("nothing: expected a video file or a folder") == 1
    assert "exitcode  : 3" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_killed_rank_is_finished_by_a_job_array(tmp_path: Path) -> None:
    videos(tmp_path, {"a": 16, "b": 17}, (240, 320))
    arguments = ["flow", "in", "--quality", "best", "--workers", "1"]
    running = subprocess.Popen(
        [*TORCHRUN, *arguments, "-o", "out"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        cwd=tmp_path,
    )
    lock, written = tmp_path / "out/.vsodtool-2-of-2.lock", tmp_path / "out/flow/a/forward"
    while running.poll() is None and not (written.exists() and any(written.glob("*.flo"))):
        time.sleep(0.01)
    os.kill(int(lock.read_text()), signal.SIGKILL)
    out, err = running.communicate()
    assert (running.returncode, out) == (1, "")
    assert "Traceback" not in err.split("ChildFailedError", maxsplit=1)[0].split("Traceback", maxsplit=1)[0]
    finished = {name: data for name, data in tree(tmp_path / "out").items() if Path(name).match("[!.]*.flo")}
    assert 0 < len([name for name in finished if name.startswith("flow/a")]) < 15
    jobs = [
        subprocess.Popen(
            [*VSODTOOL, *arguments, "-o", "out", "--shard", f"{index}/2", "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=tmp_path,
        )
        for index in (1, 2)
    ]
    reports = [json.loads(job.communicate()[0]) for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0]
    assert [[video["name"] for video in report["videos"]] for report in reports] == [["b"], ["a"]]
    reused = sum(video["reused"] for report in reports for video in report["videos"])
    # A process that is killed between a file and its line in the journal has that file made again.
    assert len(finished) - len(reports) <= reused <= len(finished)
    subprocess.run([*VSODTOOL, *arguments, "-o", "whole"], cwd=tmp_path, check=True, capture_output=True)
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")
    assert finished.items() <= tree(tmp_path / "out").items()


def test_refusals_of_shards(process: Process, frames: Path, tmp_path: Path) -> None:
    bad = process("flow", frames, "-o", "out", "--shard", "0/2")
    assert (bad.returncode, bad.stdout) == (2, "")
    assert bad.stderr.startswith("error: shard: expected I/N")
    clearing = process("flow", frames, "-o", "out", "--shard", "1/2", "--overwrite")
    assert clearing.returncode == 2
    assert clearing.stderr.startswith("error: --overwrite with --shard 1/2")
    assert not (tmp_path / "out").exists()
