"""The command line as users and scripts meet it: a process with pipes, terminals and signals."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

pytestmark = pytest.mark.long

Process = Callable[..., subprocess.CompletedProcess[str]]
COMMAND = [sys.executable, "-m", "vsodtool"]


def test_flow_from_files_to_files(process: Process, frames: Path, tmp_path: Path) -> None:
    done = process("flow", frames, "-o", "out dir", "--quality", "fast", "--direction", "both")
    assert done.returncode == 0
    assert done.stdout.splitlines()[1].split()[:5] == ["clip", "ü", "4", "6", "0"]
    assert len(done.stdout.splitlines()) == 2
    assert len(list((tmp_path / "out dir/flow/clip ü/forward").glob("*.flo"))) == 3
    again = process("flow", frames, "-o", "out dir", "--quality", "fast", "--direction", "both", "--json")
    assert json.loads(again.stdout)["videos"][0]["reused"] == 6
    changed = process("flow", frames, "-o", "out dir", "--quality", "fast", "--step", "2")
    assert (changed.returncode, changed.stdout) == (2, "")
    assert "changed" in changed.stderr


def test_inputs_from_stdin_and_a_dry_run(process: Process, frames: Path, tmp_path: Path) -> None:
    done = process("flow", "-", "-o", "out", "--dry-run", "--json", stdin=f"{frames}\n")
    assert done.returncode == 0
    assert json.loads(done.stdout)["dry_run"] is True
    assert "would compute 3 flows" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["none.mp4", "-o", "out"], 3),
        (["clip ü", "-o", "clip ü/out"], 2),
        (["clip ü", "-o", "clip ü/0.png"], 2),
        (["clip ü", "-o", "out", "--device", "gpu"], 2),
        (["clip ü", "-o", "out", "--device", "cuda:99"], 5),
    ],
)
def test_refusals_are_two_lines_and_write_nothing(
    process: Process, frames: Path, tmp_path: Path, arguments: list[str], code: int
) -> None:
    before = sorted(tmp_path.rglob("*"))
    done = process("flow", *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    lines = done.stderr.splitlines()
    assert lines[0].startswith("error: ")
    assert len(lines) <= 2
    assert sorted(tmp_path.rglob("*")) == before


def test_raft_without_weights_says_what_to_do(process: Process, frames: Path, tmp_path: Path) -> None:
    # A proxy that is not there stands for a machine without a network.
    offline = {"TORCH_HOME": str(tmp_path / "hub"), "https_proxy": "http://127.0.0.1:1", "no_proxy": ""}
    done = process("flow", frames, "-o", "out", "--backend", "raft-large", "--device", "cpu", env=offline)
    assert done.returncode == 4
    error, hint = done.stderr.splitlines()[-2:]
    assert error.startswith("error: weights raft_large_C_T_SKHT_V2-ff5fadd5.pth are not at")
    assert hint.startswith("hint: ")


def test_a_closed_pipe_is_no_traceback(frames: Path, tmp_path: Path) -> None:
    script = f'"{sys.executable}" -m vsodtool flow "{frames}" -o out --quality fast --json | head -c 0'
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", script],
        capture_output=True,
        encoding="utf-8",
        cwd=tmp_path,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert "Traceback" not in done.stderr
    assert "Broken" not in done.stderr
    assert len(list((tmp_path / "out/flow/clip ü/forward").iterdir())) == 3


def test_help_into_a_closed_pipe_is_no_traceback(tmp_path: Path) -> None:
    script = f'"{sys.executable}" -m vsodtool --help | head -c 0'
    done = subprocess.run(["bash", "-c", script], capture_output=True, encoding="utf-8", check=False)
    assert (done.stdout, done.stderr) == ("", "")


def test_the_work_goes_on_when_all_output_is_closed(frames: Path, tmp_path: Path) -> None:
    script = f'"{sys.executable}" -m vsodtool flow "{frames}" -o out --quality fast 2>&1 | head -c 0'
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", script], capture_output=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 0
    assert len(list((tmp_path / "out/flow/clip ü/forward").iterdir())) == 3


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_under_stdout_is_said(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "--version"], stdout=full, stderr=subprocess.PIPE, encoding="utf-8", check=False
        )
    assert done.returncode == 5
    assert done.stderr.startswith("error: disk full")
    assert len(done.stderr.splitlines()) == 2


def test_progress_on_a_terminal_leaves_stdout_to_the_data(frames: Path, tmp_path: Path) -> None:
    master, slave = pty.openpty()
    done = subprocess.Popen(
        [*COMMAND, "flow", str(frames), "-o", "out", "--quality", "fast", "--json"],
        stdout=subprocess.PIPE,
        stderr=slave,
        cwd=tmp_path,
        env={**os.environ, "TERM": "xterm-256color"},
    )
    os.close(slave)
    seen = b""
    try:
        while block := os.read(master, 65536):
            seen += block
    except OSError:  # how Linux says that the other side of a terminal has gone
        pass
    os.close(master)
    out, _ = done.communicate()
    assert done.returncode == 0
    assert json.loads(out)["videos"][0]["flows"] == 3
    assert b"\x1b[" in seen


def test_ctrl_c_keeps_what_is_finished_and_the_next_run_continues(tmp_path: Path) -> None:
    folder = tmp_path / "long"
    folder.mkdir()
    for index in range(40):
        picture = np.random.default_rng(index).integers(0, 256, (360, 480, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{index:03d}.jpg"), picture)
    arguments = [*COMMAND, "flow", str(folder), "-o", "out", "--quality", "best", "--workers", "1"]
    running = subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", cwd=tmp_path
    )
    written = tmp_path / "out/flow/long/forward"
    while running.poll() is None and not (written.exists() and any(written.glob("*.flo"))):
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate()
    assert (running.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "interrupted; run the same command again to continue"
    assert "Traceback" not in err
    finished = {path.name: path.read_bytes() for path in written.iterdir()}
    assert 0 < len(finished) < 39
    assert all(name.endswith(".flo") for name in finished)
    again = subprocess.run(
        [*arguments, "--json", "--workers", "2"], capture_output=True, cwd=tmp_path, check=True
    )
    video = json.loads(again.stdout)["videos"][0]
    assert (video["reused"], video["flows"]) == (len(finished), 39 - len(finished))
    assert {name: (written / name).read_bytes() for name in finished} == finished


def test_python_m_and_the_script_are_the_same() -> None:
    script = Path(sys.executable).with_name("vsodtool")
    if not script.exists():
        pytest.skip("the package is not installed beside this Python")
    runs = [
        subprocess.run([*command, "--version"], capture_output=True, check=True).stdout
        for command in (COMMAND, [str(script)])
    ]
    assert runs[0] == runs[1] != b""
