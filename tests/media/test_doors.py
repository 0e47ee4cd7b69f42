"""Scripts that were written before `media` had folders still find what they open videos with."""

from __future__ import annotations

from vsodtool.media import frames, inputs
from vsodtool.media.video import frames as video_frames
from vsodtool.media.video import inputs as video_inputs


def test_the_old_doors_lead_to_the_new_rooms() -> None:
    assert frames.open_frames is video_frames.open_frames
    assert inputs.discover_videos is video_inputs.discover_videos
