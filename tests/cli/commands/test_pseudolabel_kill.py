"""`vsodtool pseudolabel` ended from outside: what is finished stays; the next run ends alike."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.outputs import comes_to_the_same

pytestmark = pytest.mark.long

COMMAND = [sys.executable, "-m", "vsodtool", "pseudolabel"]
OPTIONS = ["--soft", "--quality", "balanced", "--device", "cpu", "--workers", "1"]


def test_the_next_run_comes_to_the_same_result(small_clip: Callable[..., Any], tmp_path: Path) -> None:
    clip = small_clip(40, (192, 256))
    arguments = [*COMMAND, str(clip.folder()), "--masks", str(clip.masks(0, 10, 20, 39)), *OPTIONS]
    comes_to_the_same(arguments, tmp_path, "out/masks/clip", (7, 22), files=80, whole=[])
