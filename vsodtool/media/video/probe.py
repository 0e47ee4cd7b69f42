"""What a video file promises, found by reading its packets; only where they do not tell is it decoded.

The number of a frame is its place among the frames that a decoder gives for the undamaged file, which is what
players and annotation tools count. Packets tell it without decoding, but for these:

- Packets before the first key frame, and pictures that are shown before it and refer to what came before it
  (open groups of pictures, of which the recording or a cut leaves a half), are never shown; nor are those
  at a broken link of H.265, where a whole file was joined of such pieces.
- VP8 and VP9 store reference frames that are never shown, MPEG-4 frames that repeat the one before.
- Some containers store no times, the same ones twice (joined files), or guesses (AVI with reordered frames).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from vsodtool.errors import DataError
from vsodtool.media.video.broken_links import BrokenLinks
from vsodtool.media.video.streams import (
    choose_stream,
    hint_for,
    missing_of,
    open_file,
    open_stream,
    take_stream,
)

_FALLBACK_FPS = 24.0
_FASTEST = 10  # times the rate that the times of frames make
_MOST_REORDERED = 32  # no codec delays a frame longer
_MOST_ANNOUNCED = 1000  # frames announced for each one that is there: beyond, a header is not believed
_REPEATED_BYTES = 16  # an MPEG-4 packet that only says "as before" is smaller


@dataclass(frozen=True)
class VideoProbe:
    """A video file before its frames are read.

    Attributes:
        stream: index of the stream that is the video.
        count: number of frames that the file holds or, if it was cut, announces.
        index_of_pts: presentation time -> frame index; empty where the container stores no usable times.
        times: seconds since the first frame, for the frames that are there; empty where `index_of_pts` is.
        fps: average frames per second.
        bits: of a channel, as the header says.
        pixel_aspect: width of a pixel by its height, as stored; 1 where the file does not say.
        missing: what of the file is not there, "" if it is whole.
        notes: lines for people: streams passed over, pictures that are never shown.
    """

    stream: int
    count: int
    index_of_pts: dict[int, int]
    times: Sequence[Fraction]
    fps: float
    bits: int
    pixel_aspect: Fraction
    missing: str
    notes: tuple[str, ...]


def probe_video(path: Path) -> VideoProbe:
    """Choose the stream of a video file and count its frames.

    Raises:
        DataError: the file cannot be opened, or holds no frames.
    """
    missing = missing_of(path)
    with open_file(path) as container:
        index, passed = choose_stream(path, container)
        stream = take_stream(path, container, index)
        rate = stream.average_rate or stream.guessed_rate
        time_base = stream.time_base or Fraction(1, 1)
        is_avi = container.format.name == "avi"
        found = _read_packets(container, stream)
        missing = missing or found.broken
        if is_avi and not missing:
            # Of AVI, the header counts places of frames, which may stay empty; a gap at the end is a loss.
            last = max((time for time in found.times if time is not None), default=0)
            missing = f"{last + 1} of {stream.frames} frames are there" if last + 2 < stream.frames else ""
        # Of a whole file only the packets count: headers also tell of frames that an edit list cuts away.
        announced = _announced(container, stream) - found.hidden if missing else 0
        bits = stream.format.components[0].bits if stream.format and stream.format.components else 8
        aspect = stream.sample_aspect_ratio or Fraction(1)
        # AVI stores no presentation times; those that FFmpeg guesses are wrong where frames are reordered.
        guessed = is_avi and stream.codec_context.has_b_frames
    known, unseen = [], 0
    usable = not guessed and found.tells and _are_usable(found.times)
    never = _never_shown(path, index, found) if usable else None
    if never is not None and found.skipped:
        never |= _left_away_at_links(path, index, found)
    if never is None:
        count = _count_by_decoding(path, index)
    else:
        unseen = len(never)
        known = sorted(time for time in found.times if time is not None and time not in never)
        count = len(known)
    # A header is believed as far as the frames that are there make it likely.
    if count < announced - unseen <= count * _MOST_ANNOUNCED:
        count = announced - unseen
    if count == 0:
        raise DataError(f"{path}: expected a video, found no frames in it", hint_for(missing))
    times = [(time - known[0]) * time_base for time in known]
    place = "where it was joined" if found.skipped else "at the start"
    leading = f"{unseen} pictures {place} refer to what was cut off: no player shows or counts them"
    return VideoProbe(
        index,
        count,
        {time: place for place, time in enumerate(known)},
        times,
        _frames_per_second(float(rate or 0), times),
        bits,
        aspect if aspect > 0 else Fraction(1),
        missing,
        tuple(note for note in (passed, leading if unseen else "") if note),
    )


def _frames_per_second(stated: float, times: Sequence[Fraction]) -> float:
    """What the file states, unless its times say another thing: of DV, FFmpeg takes a clock for the rate."""
    counted = float((len(times) - 1) / times[-1]) if len(times) > 1 else 0.0
    if counted and not counted / _FASTEST < stated < counted * _FASTEST:
        return counted
    return stated or _FALLBACK_FPS


def decode(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame | None]:
    """All frames that decode, None for a packet that does not; an unreadable rest ends it."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError:  # the caller sees the frames that are missing at the end
            return
        if packet is None:
            return
        try:
            frames = packet.decode()
        except av.FFmpegError:
            yield None
            continue
        for frame in frames:
            if isinstance(frame, VideoFrame):
                yield frame


@dataclass
class _Packets:
    """What the packets say.

    Attributes:
        times: presentation times of the packets of frames that are shown, in decoding order.
        first_key: presentation time of the first that decoding can start from.
        starts_with_key: whether that is the very first.
        hidden: number of packets of frames that are never shown.
        skipped: presentation times of pictures that are left away at joints of the stream.
        held_back: of pictures that may be left away there, too.
        tells: whether every other packet is one frame.
        broken: why they cannot be read to the end, "" if they can.
    """

    times: list[int | None]
    first_key: int | None = None
    starts_with_key: bool = False
    hidden: int = 0
    skipped: set[int] = field(default_factory=set)
    held_back: set[int] = field(default_factory=set)
    tells: bool = True
    broken: str = ""


def _read_packets(container: InputContainer, stream: VideoStream) -> _Packets:
    found = _Packets([])
    codec = stream.codec_context.name
    links = BrokenLinks(stream, _MOST_REORDERED)
    found.skipped, found.held_back = links.skipped, links.held_back
    try:
        for packet in container.demux(stream):
            if packet.size == 0:
                continue
            links.see(packet)
            if packet.is_keyframe and found.first_key is None:
                found.first_key, found.starts_with_key = packet.pts, not found.times and not found.hidden
            if packet.is_discard or _is_hidden(packet, codec):  # discard: before the start of an edit list
                found.hidden += 1
                continue
            found.times.append(packet.pts)
            if codec == "mpeg4" and packet.size <= _REPEATED_BYTES:
                found.tells = False
    except av.FFmpegError as error:
        found.broken = f"its packets cannot be read on: {error.strerror}"
    return found


def _is_hidden(packet: Packet[VideoStream], codec: str) -> bool:
    """Whether the packet is a reference frame that is never shown."""
    if codec.startswith(("vp8", "libvpx")) and not codec.endswith("vp9"):
        return not memoryview(packet)[0] & 0x10  # `show_frame`
    if codec.endswith("vp9"):
        data = memoryview(packet)
        # Marker, profile, `show_existing_frame`, key or not, `show_frame`; a superframe shows its last frame.
        profile_3, is_superframe = data[0] & 0x30 == 0x30, data[-1] & 0xE0 == 0xC0
        return not profile_3 and not is_superframe and data[0] & 0xCA == 0x80
    return False


def _are_usable(times: Sequence[int | None]) -> bool:
    """Whether every packet has a time of its own, near the place where it is stored."""
    known = [time for time in times if time is not None]
    if len(known) < len(times) or len(set(known)) < len(known):
        return False
    order = sorted(range(len(known)), key=known.__getitem__)
    return all(abs(place - stored) <= _MOST_REORDERED for place, stored in enumerate(order))


def _never_shown(path: Path, index: int, found: _Packets) -> set[int] | None:
    """Times of the pictures at the start that do not decode since what they refer to is not in the file.

    None if what does decode there comes out of order (MPEG-4 without its key frame): times do not tell then.
    """
    times = [time for time in found.times if time is not None]
    if not times or (found.starts_with_key and found.first_key is not None and found.first_key <= min(times)):
        return set()
    shown: set[int] = set()
    start = found.first_key
    with open_stream(path, index) as (container, stream):
        for frame in decode(container, stream):
            if frame is None or frame.pts is None:
                continue
            start = frame.pts if start is None else start
            if shown and frame.pts <= max(shown):
                return None
            if frame.pts >= start:
                break
            shown.add(frame.pts)
    return {time for time in times if start is not None and time < start and time not in shown}


def _left_away_at_links(path: Path, index: int, found: _Packets) -> set[int]:
    """Times of the pictures that are not shown at the joints of the stream, whatever else does not decode."""
    with open_stream(path, index) as (container, stream):
        shown = {frame.pts for frame in decode(container, stream) if frame is not None}
    return (found.skipped | found.held_back) - shown


def _count_by_decoding(path: Path, index: int) -> int:
    """Number of frames that decode and, once one did, of packets that do not, which have places too."""
    count = 0
    with open_stream(path, index) as (container, stream):
        for frame in decode(container, stream):
            count += frame is not None or count > 0
    return count


def _announced(container: InputContainer, stream: VideoStream) -> int:
    """Number of frames by the headers, from the duration where they do not tell; 0 if unknown."""
    rate = stream.average_rate or stream.guessed_rate
    if stream.frames or not container.duration or not rate or container.format.name == "gif":
        return int(stream.frames)
    return round(container.duration / av.time_base * rate)
