"""Frames and videos of every format, cut and with bits turned: a loss or a refusal, and nothing else.

Twenty of each here, within this process; `benchmarks/fuzz.py` does hundreds, each in a process of its own, of
which time and memory are watched.
"""

from __future__ import annotations

import random
import runpy
import warnings
from pathlib import Path
from typing import Any

import av
import pytest

from vsodtool.errors import DataError

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
READ = ("film", "frames", "pages")


@pytest.fixture(scope="module")
def fuzz() -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        return runpy.run_path(str(BENCHMARKS / "fuzz.py"), run_name="imported")


def test_damaged_frames_and_videos(
    fuzz: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = {True: 0, False: 0}
    for number, (name, kind) in enumerate(fuzz["KINDS"].items()):
        if name.split()[0] not in READ:
            continue
        folder = tmp_path / str(number)
        folder.mkdir()
        monkeypatch.chdir(folder)
        try:
            victim = kind.make(folder)
        except (av.FFmpegError, ValueError, LookupError):
            continue  # this build of FFmpeg has no such encoder
        kind.read()
        data = victim.read_bytes()
        for attempt in range(20):
            rng = random.Random(f"{name} {attempt}")
            victim.write_bytes(fuzz["damaged"](data, rng, header=attempt % 2 == 1, text=False))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Pillow's about what it meets in damaged files
                try:
                    kind.read()
                    outcomes[True] += 1
                except DataError:
                    outcomes[False] += 1
    assert outcomes[True] > 100
    assert outcomes[False] > 50
