"""Where videos were found before `media` had folders, for scripts that say so; see `video.inputs`."""

from __future__ import annotations

from vsodtool.media.video.inputs import VideoInput, discover_videos

__all__ = ["VideoInput", "discover_videos"]
