"""What a video file promises, found by reading its packets without decoding them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from vsodtool.errors import DataError
from vsodtool.media.video.truncation import describe_missing_bytes

_FALLBACK_FPS = 24.0


@dataclass(frozen=True)
class VideoProbe:
    """A video file before decoding.

    Attributes:
        count: number of frames that the file announces, or holds packets for if that is more.
        index_of_pts: presentation time -> frame index; empty where the container stores no usable times.
        fps: average frames per second.
        missing: what of the file is not there, "" if it is whole.
    """

    count: int
    index_of_pts: dict[int, int]
    fps: float
    missing: str


def probe_video(path: Path) -> VideoProbe:
    """Count the frames of a video file from its packets.

    Raises:
        DataError: the file cannot be opened, or holds no frames.
    """
    missing = _missing(path)
    with open_container(path) as (container, stream):
        rate = stream.average_rate or stream.guessed_rate
        # AVI stores no presentation times; those that FFmpeg guesses are wrong where frames are reordered.
        guessed = container.format.name == "avi" and stream.codec_context.has_b_frames
        times: list[int | None] = []
        hidden = 0
        try:
            for packet in container.demux(stream):
                if packet.size == 0:
                    continue
                if _is_shown(packet, stream.codec_context.name):
                    times.append(packet.pts)
                else:
                    hidden += 1
        except av.FFmpegError as error:
            missing = missing or f"its packets cannot be read on: {error.strerror}"
        if container.format.name == "avi" and not missing:
            # Of AVI, the header counts places of frames, which may stay empty; a gap at the end is a loss.
            last = max((time for time in times if time is not None), default=0)
            missing = f"{last + 1} of {stream.frames} frames are there" if last + 2 < stream.frames else ""
        # Of a whole file only the packets count: headers also tell of frames that an edit list cuts away.
        announced = _announced(container, stream) - hidden if missing else 0
    count = max(len(times), announced)
    if count == 0:
        raise DataError(f"{path}: expected a video, found no frames in it", _hint(missing))
    return VideoProbe(count, {} if guessed else _rank(times), float(rate) if rate else _FALLBACK_FPS, missing)


@contextmanager
def open_container(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """A video file and its video stream, cover pictures passed over; closed at the end.

    Raises:
        DataError: the file cannot be opened or holds no video stream.
    """
    try:
        container = av.open(str(path), metadata_errors="replace")
    except (av.FFmpegError, OSError) as error:
        raise DataError(
            f"{path}: expected a video, found a file that cannot be opened: {error.strerror or error}",
            _hint(_missing(path)),
        ) from error
    with container:
        streams = [
            stream
            for stream in container.streams.video
            if not stream.disposition & av.stream.Disposition.attached_pic
            and stream.codec_context is not None
        ]
        if not streams:
            raise DataError(
                f"{path}: expected a video stream, found {len(container.streams)} streams of other kinds",
                "check the file with ffprobe",
            )
        # With threads inside, a damaged file decodes differently from run to run, and loses more frames.
        streams[0].thread_type = "NONE"
        yield container, streams[0]


def _announced(container: InputContainer, stream: VideoStream) -> int:
    """Number of frames by the headers, from the duration where they do not tell; 0 if unknown."""
    rate = stream.average_rate or stream.guessed_rate
    if stream.frames or not container.duration or not rate or container.format.name == "gif":
        return int(stream.frames)
    return round(container.duration / av.time_base * rate)


def _rank(times: list[int | None]) -> dict[int, int]:
    """Presentation time -> place in presentation order; empty if a time is absent or occurs twice."""
    known = sorted({time for time in times if time is not None})
    return {time: index for index, time in enumerate(known)} if len(known) == len(times) else {}


def _is_shown(packet: Packet[VideoStream], codec: str) -> bool:
    if packet.is_discard:  # before the start of an edit list
        return False
    # VP8 stores hidden reference frames as packets of their own; bit 4 of the first byte is `show_frame`.
    return not codec.startswith(("vp8", "libvpx")) or bool(memoryview(packet)[0] & 0x10)


def _missing(path: Path) -> str:
    try:
        return describe_missing_bytes(path)
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read: {error.strerror or error}", "check its permissions"
        ) from error


def _hint(missing: str) -> str:
    if missing:
        return f"the file was cut ({missing}): copy or download it again"
    return "check the file with ffprobe, or convert it to mp4 with ffmpeg"
