"""Where frames were opened before `media` had folders, for scripts that say so; see `video.frames`."""

from __future__ import annotations

from vsodtool.media.video.frames import FrameSource, open_frames

__all__ = ["FrameSource", "open_frames"]
