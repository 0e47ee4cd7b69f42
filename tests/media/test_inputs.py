"""Scripts that were written before `media` had folders still find their videos."""

from __future__ import annotations

from vsodtool.media import inputs
from vsodtool.media.video import inputs as now


def test_the_names_of_before_are_those_of_now() -> None:
    assert inputs.discover_videos is now.discover_videos
    assert inputs.VideoInput is now.VideoInput
