"""Two small videos, and the bucket that they are put into."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.s3 import server, store

__all__ = ["server", "store"]


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    for name, length in {"a": 3, "b": 4}.items():
        (tmp_path / "in" / name).mkdir(parents=True)
        for index in range(length):
            picture = np.random.default_rng(index).integers(0, 256, (24, 32, 3), dtype=np.uint8)
            assert cv2.imwrite(str(tmp_path / f"in/{name}/{index}.png"), picture)
    return tmp_path / "in"
