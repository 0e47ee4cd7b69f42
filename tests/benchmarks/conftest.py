"""The benchmark scripts as modules."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from vsodtool.media.images import write_png


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Import a script of benchmarks/ by name."""
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "benchmarks"))
    return importlib.import_module


@pytest.fixture
def boxes(tmp_path: Path) -> Path:
    """A DAVIS-style root: `still`, a box that rests for 9 frames, and `quick`, one that jumps about."""
    root = tmp_path / "boxes"
    for name, step in (("still", 0), ("quick", 17)):
        for index in range(9):
            mask = np.zeros((40, 60), np.uint8)
            left = index * step % 45
            mask[10:25, left : left + 12] = 255
            write_png(root / "Annotations" / name / f"{index:05d}.png", mask)
            write_png(root / "JPEGImages" / name / f"{index:05d}.png", np.repeat(mask[..., None], 3, axis=2))
    return root
