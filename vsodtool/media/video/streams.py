"""Opening a video file: as a file and nothing else, and the one stream of it that is the video."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from vsodtool.checks import check_regular
from vsodtool.errors import DataError
from vsodtool.media.image_integrity import LARGEST_PIXELS
from vsodtool.media.video.truncation import describe_missing_bytes, find_absurd_length

# Demuxers that read one file. Playlists (HLS, DASH, ffconcat), patterns and devices, which open others, and
# single pictures are not among them.
_FORMATS = (
    "mov", "matroska", "avi", "gif", "mpegts", "mpeg", "mpegvideo", "asf", "flv", "ogg", "mxf", "dv", "ivf",
    "nut", "rm", "wtv", "h264", "hevc", "vvc", "obu", "m4v", "h263", "vc1", "yuv4mpegpipe",
)  # fmt: skip
_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": ",".join(_FORMATS)}
_PICTURES = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails


@contextmanager
def open_stream(path: Path, index: int) -> Iterator[tuple[InputContainer, VideoStream]]:
    """A video file and the stream that `choose_stream` chose; closed at the end.

    Raises:
        DataError: the file cannot be opened, or has no such stream any more.
    """
    with open_file(path) as container:
        yield container, take_stream(path, container, index)


def take_stream(path: Path, container: InputContainer, index: int) -> VideoStream:
    """A stream of an open file, ready to be decoded.

    Raises:
        DataError: there is no such stream (any more).
    """
    stream = next((each for each in container.streams.video if each.index == index), None)
    if stream is None:
        raise DataError(f"{path}: its video stream has gone", "do not change inputs while they are read")
    # With threads inside, a damaged file decodes differently from run to run, and loses more frames.
    stream.thread_type = "NONE"
    stream.codec_context.options = {"max_pixels": str(LARGEST_PIXELS)}
    return stream


@contextmanager
def open_file(path: Path) -> Iterator[InputContainer]:
    """A video file, whatever its suffix; no other file, protocol or playlist is opened on its behalf.

    Raises:
        DataError: it is no regular file, no video, or announces more than it can hold.
    """
    try:
        check_regular(path)
        absurd = find_absurd_length(path)
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read: {error.strerror or error}", "check the path and its permissions"
        ) from error
    if absurd:
        raise DataError(f"{path}: expected a video, found a damaged file: {absurd}", hint_for(""))
    try:
        # `file:`, or FFmpeg takes what stands before a colon in the name for a protocol.
        container = av.open(f"file:{path}", metadata_errors="replace", options=dict(_OPTIONS))
    except (av.FFmpegError, OSError, ValueError) as error:
        # What is on none of the lists is an "invalid argument".
        reason = getattr(error, "strerror", None) or str(error)
        told = "no video in a format that is known" if isinstance(error, av.ArgumentError) else reason
        raise DataError(
            f"{path}: expected a video, found a file that cannot be opened: {told}",
            hint_for(missing_of(path)),
        ) from error
    with container:
        yield container


def choose_stream(path: Path, container: InputContainer) -> tuple[int, str]:
    """Index of the stream that is the video, and a line about the video streams passed over, "" if none were.

    Pictures (covers, thumbnails) and, where there is another, streams of one frame are passed over. Of
    several the one flagged as default is taken, else the one with most pixels, else the first.

    Raises:
        DataError: there is none.
    """
    streams = [stream for stream in container.streams.video if stream.codec_context is not None]
    films = [stream for stream in streams if not stream.disposition & _PICTURES]
    if not films:
        found = f"found {len(container.streams)} streams of other kinds"
        pictures = f", {len(streams)} of them a cover picture or thumbnails" if streams else ""
        raise DataError(
            f"{path}: expected a video stream, {found}{pictures}",
            "check the file with ffprobe",
        )
    if len(films) > 1:
        films = _moving(path, films) or films
    chosen = max(
        films, key=lambda each: (bool(each.disposition & av.stream.Disposition.default), _area(each))
    )
    passed = [each for each in streams if each.index != chosen.index]
    if not passed:
        return chosen.index, ""
    return chosen.index, f"of {len(streams)} video streams, {_describe(chosen)} is read, not " + ", ".join(
        map(_describe, passed)
    )


def missing_of(path: Path) -> str:
    """What of the file is not there, "" if it is whole (see `describe_missing_bytes`).

    Raises:
        DataError: the file cannot be read.
    """
    try:
        return describe_missing_bytes(path)
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read: {error.strerror or error}", "check its permissions"
        ) from error


def hint_for(missing: str) -> str:
    """What to do about a file of which something may be missing."""
    if missing:
        return f"the file was cut ({missing}): copy or download it again"
    return "check the file with ffprobe, or convert it to mp4 with ffmpeg"


def _moving(path: Path, streams: Sequence[VideoStream]) -> list[VideoStream]:
    """Those of more than one frame."""
    found = dict.fromkeys((stream.index for stream in streams), 0)
    with open_file(path) as container:
        try:
            for packet in container.demux(video=tuple(range(len(container.streams.video)))):
                if packet.stream_index in found:  # FLV and MPEG name further streams while they are read
                    found[packet.stream_index] += packet.size > 0
                if min(found.values()) > 1:
                    break
        except av.FFmpegError:  # a damaged end: what came before it tells enough
            pass
    return [stream for stream in streams if found[stream.index] > 1]


def _area(stream: VideoStream) -> int:
    return (stream.codec_context.width or 0) * (stream.codec_context.height or 0)


def _describe(stream: VideoStream) -> str:
    context = stream.codec_context
    kind = "cover or thumbnails " if stream.disposition & _PICTURES else ""
    return f"{kind}{stream.index} ({context.name}, {context.width}x{context.height})"
