"""Frames of video files as pictures on the disk, for who must read them in any order."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import cv2

from vsodtool.errors import DataError
from vsodtool.media.atomic import write_bytes_atomically
from vsodtool.media.fingerprint import input_fingerprint
from vsodtool.media.video.frames import open_frames
from vsodtool.media.video.inputs import VideoInput
from vsodtool.types import ImageArray

_QUALITY = 95


def unpack_frames(video: VideoInput, names: Collection[str], cache: Path) -> dict[str, Path]:
    """Write frames of a video file as JPEG (quality 95) into a folder of its own below `cache`.

    Frames that are there already are kept: a second call costs nothing, one after a kill does the rest. A
    changed file gets another folder.

    Args:
        video: of kind "file".
        names: of the frames wanted.
        cache: folder, made if needed.

    Returns:
        Frame name -> picture, for every name.

    Raises:
        DataError: a frame does not decode, or the file has gone.
        DeviceError: the disk is full or not writable.
    """
    folder = cache / f"{video.name}-{input_fingerprint(video)[:12]}"
    wanted = {name: folder / f"{name}.jpg" for name in names}
    missing = {name for name, path in wanted.items() if not path.is_file()}
    if missing:
        frames = open_frames(video)
        for frame in frames:
            if frame.name in missing:
                write_bytes_atomically(wanted[frame.name], _encode_jpeg(frame.rgb))
                missing.discard(frame.name)
            if not missing:
                break
    if missing:
        first = sorted(missing)[0]
        raise DataError(
            f"{video.path}: {len(missing)} frames with a mask do not decode, the first is {first}",
            "remove their masks, or get another copy of the video",
        )
    return wanted


def _encode_jpeg(rgb: ImageArray) -> bytes:
    _, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return data.tobytes()
