"""Pictures of frames to draw on: DIR/images/<video>/<frame>.png."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from vsodtool.errors import UsageError
from vsodtool.media.atomic import write_bytes_atomically
from vsodtool.media.images import encode_png
from vsodtool.media.output.layout import OutputLayout
from vsodtool.types import Frame


def pictures_folder(folder: Path, video: str) -> Path:
    """Where the pictures of a video are written.

    Raises:
        UsageError: the video cannot have a folder of its name.
    """
    return folder / "images" / OutputLayout(folder).masks(video, "x").parent.name


def write_picture(folder: Path, video: str, frame: Frame, *, overwrite: bool) -> None:
    """Write a picture; what lies there stays if it is the same, so that a second run continues the first.

    Raises:
        UsageError: something else lies there, and is not to be replaced.
        DeviceError: it cannot be written.
    """
    path, data = pictures_folder(folder, video) / f"{frame.name}.png", encode_png(frame.rgb)
    if path.is_file():
        if path.read_bytes() == data:
            return
        if not overwrite:
            raise UsageError(
                f"{path} exists and is another picture", "choose another folder with --export, or --overwrite"
            )
    write_bytes_atomically(path, data)


def refuse_existing(drafts: Iterable[Path]) -> None:
    """Refuse drafts that exist: somebody may have corrected them.

    Raises:
        UsageError: naming the first.
    """
    for path in drafts:
        if path.exists():
            raise UsageError(
                f"{path} exists, perhaps corrected by hand",
                "choose another folder with --export, or --overwrite",
            )
