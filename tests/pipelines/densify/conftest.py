"""A clip with four masks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vsodtool.media.masks.sparse import match_masks
from vsodtool.media.video.frames import open_frames
from vsodtool.media.video.inputs import discover_videos
from vsodtool.pipelines.densify.interval import SparseVideo

GIVEN = [0, 4, 8, 12]


@pytest.fixture
def video(tmp_path: Path, film: Callable[..., Any]) -> SparseVideo:
    clip = film([(1, 0)] * 12)
    source = open_frames(discover_videos([str(clip.write_folder(tmp_path / "clip"))])[0])
    masks = match_masks(clip.write_masks(tmp_path / "masks", GIVEN), [source])["clip"]
    return SparseVideo(source, masks, tmp_path / "out")
