"""`vsodtool predict` ended from outside, and without anybody to listen."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.outputs import comes_to_the_same

pytestmark = pytest.mark.long

COMMAND = [sys.executable, "-m", "vsodtool", "predict"]
Make = Callable[..., Any]


def test_the_next_run_comes_to_the_same_result(
    small_clip: Make, tmp_path: Path, small_network: Callable[..., Path]
) -> None:
    clip = small_clip(150, (192, 256))
    arguments = [*COMMAND, str(clip.file()), "--weights", str(small_network()), "--masks"]
    arguments += ["--clip-length", "8", "--stride", "3", "--precision", "fp32"]
    comes_to_the_same(arguments, tmp_path, "out/soft/clip", (7, 50), files=300, whole=["--workers", "1"])


def test_json_alone_on_stdout_and_quiet(
    small_clip: Make, tmp_path: Path, small_network: Callable[..., Path]
) -> None:
    arguments = [str(small_clip().folder()), "-o", "out", "--weights", str(small_network())]
    done = subprocess.run(
        [*COMMAND, *arguments, "--json", "--quiet"], cwd=tmp_path, check=True, capture_output=True
    )
    assert done.stderr == b""
    report = json.loads(done.stdout)
    assert report["videos"][0]["generated"] == 6
    assert report["losses"] == []


def test_the_work_goes_on_when_all_output_is_closed(
    small_clip: Make, tmp_path: Path, small_network: Callable[..., Path]
) -> None:
    source = small_clip().folder()
    script = (
        f'"{sys.executable}" -m vsodtool predict "{source}" -o out '
        f'--weights "{small_network()}" 2>&1 | head -c 0'
    )
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", script], capture_output=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 0
    assert len(list((tmp_path / "out/soft/clip").iterdir())) == 6


@pytest.mark.skipif(sys.platform != "linux", reason="limits the memory of a process as Linux does")
def test_memory_that_does_not_suffice(
    small_clip: Make, tmp_path: Path, small_network: Callable[..., Path]
) -> None:
    """A real refusal of the system: a network size whose first tensors are larger than what is left."""
    program = (
        "import resource, sys\n"
        "import torch, vsodtool.pipelines.predict\n"
        "from vsodtool.cli import main\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 29),) * 2)\n"
        "sys.argv = ['vsodtool', *sys.argv[1:]]\n"
        "main()\n"
    )
    arguments = [
        str(small_clip(4).folder()),
        "-o",
        "out",
        "--weights",
        str(small_network()),
        "--size",
        "4096",
    ]
    done = subprocess.run(
        [sys.executable, "-c", program, "predict", *arguments, "--precision", "fp32", "--device", "cpu"],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        encoding="utf-8",
    )
    error, hint = done.stderr.splitlines()[-2:]
    assert (done.returncode, done.stdout) == (5, "")
    assert error == "error: out of memory on cpu in the video 'clip'"
    assert all(option in hint for option in ("--clip-length", "--size", "--batch", "--precision"))
