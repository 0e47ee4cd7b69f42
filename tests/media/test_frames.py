"""Scripts that were written before `media` had folders still open their frames."""

from __future__ import annotations

from vsodtool.media import frames
from vsodtool.media.video import frames as now


def test_the_names_of_before_are_those_of_now() -> None:
    assert frames.open_frames is now.open_frames
    assert frames.FrameSource is now.FrameSource
