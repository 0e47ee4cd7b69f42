"""Intervals to be filled, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vsodtool.media.video.frame_store import FrameStore
from vsodtool.media.video.frames import FolderFrames
from vsodtool.media.video.inputs import discover_videos
from vsodtool.pipelines.densify.interval import Interval, LabelledFrame, to_channels


def make_job(clip: Any, folder: Path, ids: Sequence[int] = (1,)) -> Interval:
    """An interval over a whole clip, labelled at both ends."""
    source = FolderFrames(discover_videos([str(clip.write_folder(folder))])[0])
    store = FrameStore(source, folder.parent)
    last = len(clip.frames) - 1
    for frame in source:
        if 0 < frame.index < last:
            store.put(frame)
    left, right = (
        LabelledFrame(
            index, f"{index:05d}", clip.frames[index], to_channels(clip.truth[index].astype(np.uint16), ids)
        )
        for index in (0, last)
    )
    return Interval(left, right, list(range(1, last)), store)
