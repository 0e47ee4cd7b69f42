"""INPUT of the commands -> videos: files, folders of frames, folders of videos, DAVIS-style roots, `-`."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO

from vsodtool.checks import check_regular
from vsodtool.config.url import is_url
from vsodtool.errors import DataError
from vsodtool.media.folders import (
    IMAGE_SUFFIXES,
    VIDEO_SUFFIXES,
    descend_davis,
    folder_name,
    frame_name,
    image_folders,
    list_folder,
    list_images,
)
from vsodtool.media.image_integrity import count_pages, may_have_pages
from vsodtool.media.regular_file import open_regular, read_regular
from vsodtool.media.video.streams import open_file
from vsodtool.types import Event, OnEvent, ignore_event

_SHOWN = 3  # names of what is passed over


@dataclass(frozen=True)
class VideoInput:
    """One video, not yet opened.

    Attributes:
        name: identity of the video: stem of the file, or name of the folder.
        path: the video file or the image file of several pages, or the folder of frames.
        kind: "file" (frames are numbered) or "folder" (frames have the names of their files).
        files: the frame files of a folder in natural order; empty for a video file.
    """

    name: str
    path: Path
    kind: Literal["file", "folder"]
    files: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Loss:
    """A frame, or everything from a frame on, that could not be read.

    Attributes:
        frame_name: name of the frame; for a video that ends early, of the first one missing (not among the
            names of the source where the container does not tell how many there were).
        reason: what happened, one line.
        ends: the frames after it could not be read either.
    """

    frame_name: str
    reason: str
    ends: bool = False


def discover_videos(
    inputs: Sequence[str], *, stdin: TextIO | None = None, on_event: OnEvent = ignore_event
) -> list[VideoInput]:
    """Find the videos that the inputs stand for, in the order given; nothing is decoded.

    Args:
        inputs: paths, or `-` for one path per line on `stdin`.
        stdin: where `-` reads from; the standard input if None.
        on_event: hears of videos in a folder that are passed over, as its pictures are the video.

    Raises:
        DataError: an input is missing, unreadable, of an unknown type or without frames, two frames have one
            stem, two videos have one name, a folder holds a single picture beside videos or is an output
            folder of the tool, or there is no input at all.
    """
    videos: list[VideoInput] = []
    by_name: dict[str, VideoInput] = {}
    for text in expand_inputs(inputs, stdin):
        for video in _discover(text, on_event):
            other = by_name.setdefault(video.name, video)
            if other is not video:
                raise DataError(
                    f"two inputs are called {video.name!r}: {other.path} and {video.path}",
                    "rename one of them, or run them one by one into different output folders",
                )
            videos.append(video)
    if not videos:
        raise DataError("expected at least one input, found none", "name a video file or a folder of frames")
    return videos


def expand_inputs(inputs: Sequence[str], stdin: TextIO | None = None) -> Iterator[str]:
    """The inputs with every `-` replaced by the lines of `stdin` (of the standard input if None)."""
    for text in inputs:
        if text == "-":
            lines = (line.rstrip("\r\n") for line in (stdin if stdin is not None else sys.stdin))
            yield from (line for line in map(_without_mark, lines) if line.strip())
        else:
            yield text


def _without_mark(line: str) -> str:
    """A line without the byte order mark that editors on Windows put before the first."""
    for mark in ("\ufeff", "\udcef\udcbb\udcbf"):  # the second is how it reads where the locale is not UTF-8
        line = line.removeprefix(mark)
    return line


def _discover(text: str, on_event: OnEvent) -> list[VideoInput]:
    path = Path(text)
    if is_url(text):
        raise DataError(f"{text}: expected a path, found a URL on stdin", "name URLs on the command line")
    if path.is_dir():
        return _discover_folder(path, on_event)
    try:
        check_regular(path)
    except FileNotFoundError as error:
        link = " but a link that leads nowhere" if path.is_symlink() else ""
        raise DataError(
            f"{path}: expected a video file or a folder, found nothing there{link}",
            "check the spelling of the path",
        ) from error
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}", "give a video file or a folder") from error
    suffix = path.suffix.lower()
    if is_image_file(path) or (suffix in IMAGE_SUFFIXES and not _is_video(path)):
        _check_stack(path)
    elif suffix not in IMAGE_SUFFIXES | VIDEO_SUFFIXES:
        _check_video(path)
    return [VideoInput(frame_name(path), path, "file")]


def is_image_file(path: Path) -> bool:
    """Whether a file is an image that may have several pages, by its content and whatever it is called.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with open_regular(path) as file:
            return may_have_pages(file.read(12))
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read: {error.strerror or error}", "check the path and its permissions"
        ) from error


def _is_video(path: Path) -> bool:
    """Whether a file is a video by its content, and no picture that is stored like one (HEIC, AVIF)."""
    try:
        with open_file(path) as container:
            return any(stream.frames != 1 for stream in container.streams.video)  # 0: not known
    except DataError:
        return False


def _check_stack(path: Path) -> None:
    """Refuse an image file of one picture; one of several is a video."""
    try:
        pages = count_pages(read_regular(path))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path}: expected a picture, found one that cannot be read: {error}", "replace it"
        ) from error
    if pages < 2:
        raise DataError(
            f"{path}: expected a video file or a folder of frames, found a single image",
            f"give its folder instead: {path.parent}",
        )


def _check_video(path: Path) -> None:
    """Refuse a file of an unknown suffix unless it is a video by its content."""
    suffix = path.suffix.lower()
    try:
        with open_file(path) as container:
            if container.streams.video:
                return
        cause = None
    except DataError as error:
        cause = error
    raise DataError(
        f"{path}: expected a video ({_suffixes(VIDEO_SUFFIXES)}, or another file that is one by its content) "
        f"or a folder, found {f'a {suffix} file' if suffix else 'a file without suffix'}",
        "convert it with ffmpeg, for example to mp4",
    ) from cause


def _discover_folder(folder: Path, on_event: OnEvent) -> list[VideoInput]:
    _refuse_output(folder)
    base = descend_davis(folder, "JPEGImages")
    files = list_images(base)
    clips = [entry for entry in list_folder(base) if entry.suffix.lower() in VIDEO_SUFFIXES]
    clips = [entry for entry in clips if not entry.is_dir()]
    if files:
        _refuse_lone_picture(folder, files, [*clips, *image_folders(base).values()])
        _tell_passed_over(folder, _count(len(files), "picture"), clips, on_event)
        return [VideoInput(folder_name(folder) or "video", base, "folder", tuple(files))]
    videos = [
        VideoInput(name, sub_folder, "folder", tuple(list_images(sub_folder)))
        for name, sub_folder in image_folders(base).items()
    ]
    if videos:
        _tell_passed_over(folder, _count(len(videos), "folder"), clips, on_event)
        return videos
    others = _count_suffixes(base)
    hint = (
        f"name the video files themselves, for example {clips[0]}"
        if clips
        else "give a folder of frames, or a folder with one sub-folder of frames per video"
    )
    raise DataError(f"{folder}: expected frames ({_suffixes(IMAGE_SUFFIXES)}), found none{others}", hint)


def _count_suffixes(folder: Path) -> str:
    """What the files of a folder are that are no frames, as the end of a message."""
    found = Counter(entry.suffix.lower() for entry in list_folder(folder) if entry.is_file())
    counts = [f"{count} {suffix or 'without suffix'}" for suffix, count in found.most_common(_SHOWN)]
    return f", but {', '.join(counts)}" if counts else ""


def _refuse_output(folder: Path) -> None:
    """Refuse an output folder of the tool: its masks would be taken for frames."""
    try:
        content = json.loads(read_regular(folder / "manifest.json"))
    except (OSError, ValueError, RecursionError):  # none, or somebody else's
        return
    if isinstance(content, dict) and content.get("tool") == "vsodtool":
        raise DataError(
            f"{folder}: expected frames, found an output folder of vsodtool {content.get('command', '')}",
            "give the video or the frames that it was made of",
        )


def _refuse_lone_picture(folder: Path, files: Sequence[Path], beside: Sequence[Path]) -> None:
    """Refuse a picture without a number beside videos: a cover, and no video of one frame."""
    if len(files) > 1 or not beside or any(char in "0123456789" for char in files[0].stem):
        return
    raise DataError(
        f"{folder}: expected the frames of one video, or a folder of frames for each, found one picture, "
        f"{files[0].name}, beside {_listing(beside)}",
        f"move {files[0].name} elsewhere, or name what is meant, for example {beside[0]}",
    )


def _tell_passed_over(folder: Path, what: str, clips: Sequence[Path], on_event: OnEvent) -> None:
    if clips:
        text = f"{folder}: {what} read, not {_listing(clips)} beside: video files are named themselves"
        on_event(Event("notice", message=text))


def _listing(paths: Sequence[Path]) -> str:
    shown = ", ".join(path.name for path in paths[:_SHOWN])
    return f"{shown} and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else shown


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _suffixes(suffixes: frozenset[str]) -> str:
    return ", ".join(sorted(suffix[1:] for suffix in suffixes))
