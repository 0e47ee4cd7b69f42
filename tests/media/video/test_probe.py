"""Numbers are places among the frames that a decoder gives; headers are believed within reason."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from vsodtool.media.video.file_frames import FileFrames
from vsodtool.media.video.inputs import VideoInput
from vsodtool.media.video.probe import probe_video
from vsodtool.types import ImageArray

X265 = "keyint=8:min-keyint=8:scenecut=0:open-gop=1:bframes=3:log-level=none"
X264 = "keyint=8:min-keyint=8:scenecut=0:open-gop=1:bframes=3"


def pictures(count: int = 24) -> list[ImageArray]:
    base = np.random.default_rng(0).integers(0, 256, (8, 12, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    return [np.roll(base, 4 * index, axis=1) for index in range(count)]


def film(path: Path, codec: str, options: dict[str, str] | None = None, **more: Any) -> Path:
    pixel_format = more.pop("pix_fmt", "yuv420p")
    try:
        with av.open(str(path), "w", **more) as file:
            stream = file.add_stream(codec, rate=10, options=options or {})
            stream.width, stream.height, stream.pix_fmt = 96, 64, pixel_format
            stream.codec_context.gop_size = 8
            for rgb in pictures():
                file.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
            file.mux(stream.encode(None))
    except (ValueError, LookupError) as error:
        pytest.skip(f"this build of FFmpeg has no {codec}: {error}")
    return path


def remuxed(source: Path, target: Path, choose: Callable[[list[Any]], Sequence[Any]], **more: Any) -> Path:
    """Packets of a file in another, undecoded: what cutting without re-encoding does."""
    with av.open(str(source)) as file, av.open(str(target), "w", **more) as out:
        stream = file.streams.video[0]
        packets = [packet for packet in file.demux(stream) if packet.size]
        new = out.add_stream_from_template(stream)
        for packet in choose(packets):
            packet.stream = new
            out.mux(packet)
    return target


def from_second_key(packets: list[Any]) -> list[Any]:
    return packets[[index for index, packet in enumerate(packets) if packet.is_keyframe][1] :]


def opened(path: Path) -> FileFrames:
    return FileFrames(VideoInput(path.stem, path, "file"))


def check_as_decoded(path: Path) -> FileFrames:
    """Frames are those of PyAV's own loop, which is what players count; none is lost."""
    with av.open(str(path)) as file:
        wanted = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
    frames = opened(path)
    found = list(frames)
    assert [frame.index for frame in found] == list(range(len(wanted)))
    assert len(frames.names) == len(wanted)
    assert all(np.array_equal(frame.rgb, rgb) for frame, rgb in zip(found, wanted, strict=True))
    assert frames.losses == []
    return frames


@pytest.mark.parametrize(
    ("codec", "options", "suffixes"),
    [
        ("libx265", {"x265-params": X265}, "mp4 mkv"),
        ("libx265", {"x265-params": X265 + ":repeat-headers=1"}, "ts ts"),
        ("libx264", {"x264-params": X264}, "mp4 mkv"),
        ("mpeg2video", {"bf": "2", "b": "2000000"}, "mpg mpg"),
        ("mpeg2video", {"bf": "2", "b": "2000000"}, "ts mkv"),
        ("mpeg4", {"bf": "2", "b": "2000000"}, "mkv mkv"),
        ("mpeg4", {"bf": "2", "b": "2000000"}, "avi avi"),
    ],
)
@pytest.mark.parametrize("cut", ["at the second key frame", "anywhere"])
def test_a_cut_without_re_encoding(
    tmp_path: Path, codec: str, options: dict[str, str], suffixes: str, cut: str
) -> None:
    """Pictures that refer to what was cut off are never shown, so they have no number."""
    middle, end = suffixes.split()
    whole = film(tmp_path / f"whole.{middle}", codec, options)
    choose = from_second_key if cut == "at the second key frame" else (lambda packets: packets[3:])
    check_as_decoded(remuxed(whole, tmp_path / f"part.{end}", choose))


def test_a_recording_that_starts_between_key_frames(tmp_path: Path) -> None:
    whole = film(tmp_path / "whole.webm", "libvpx-vp9", {"b": "2000000"})
    path = remuxed(whole, tmp_path / "part.webm", lambda packets: packets[4:])
    with av.open(str(path)) as file:
        shown = sum(1 for packet in file.demux(video=0) for _ in decoded(packet))
    frames = opened(path)
    assert [frame.index for frame in frames] == list(range(shown)) == list(range(16))
    assert frames.losses == []
    assert "4 pictures at the start" in frames.notes[0]


def decoded(packet: Any) -> list[Any]:
    try:
        return packet.decode()
    except av.FFmpegError:
        return []


def test_joined_recordings_of_the_same_times(tmp_path: Path) -> None:
    part = film(tmp_path / "a.ts", "libx264", format="mpegts")
    joined = tmp_path / "joined.ts"
    joined.write_bytes(part.read_bytes() * 2)
    assert len(check_as_decoded(joined).names) == 48


def test_a_raw_stream_without_times(tmp_path: Path) -> None:
    check_as_decoded(film(tmp_path / "raw.h264", "libx264", format="h264"))


def units(data: bytes) -> list[tuple[int, int]]:
    """Type and place of the units of an H.265 packet in mp4: a length of four bytes before each."""
    found, place = [], 0
    while place < len(data):
        found.append((data[place + 4] >> 1 & 63, place + 4))
        place += 4 + int.from_bytes(data[place : place + 4], "big")
    return found


def changed(packet: Any, data: bytes) -> Any:
    new = av.Packet(data)
    new.pts, new.dts, new.time_base = packet.pts, packet.dts, packet.time_base
    new.duration, new.is_keyframe = packet.duration, packet.is_keyframe
    return new


def with_broken_link(packets: list[Any]) -> list[Any]:
    """The second CRA becomes a BLA, as splicers write it."""
    place = [index for index, packet in enumerate(packets) if packet.is_keyframe][2]
    data = bytearray(bytes(packets[place]))
    for kind, start in units(bytes(data)):
        if kind == 21:
            data[start] = 16 << 1 | data[start] & 1
    return [*packets[:place], changed(packets[place], bytes(data)), *packets[place + 1 :]]


def with_end_of_sequence(packets: list[Any]) -> list[Any]:
    """A sequence ends before the second CRA, as where two files were joined."""
    place = [index for index, packet in enumerate(packets) if packet.is_keyframe][2] - 1
    ended = changed(packets[place], bytes(packets[place]) + b"\0\0\0\2\x48\x01")
    return [*packets[:place], ended, *packets[place + 1 :]]


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize("link", [with_broken_link, with_end_of_sequence])
def test_pictures_left_away_where_a_file_was_joined(
    tmp_path: Path, link: Callable[[list[Any]], list[Any]], suffix: str
) -> None:
    whole = film(tmp_path / "whole.mp4", "libx265", {"x265-params": X265})
    path = remuxed(whole, tmp_path / "joined.mp4", link)
    if suffix != "mp4":
        path = remuxed(path, tmp_path / f"joined.{suffix}", lambda packets: packets)
    frames = check_as_decoded(path)
    assert 18 < len(frames.names) < 24
    unseen = 24 - len(frames.names)
    assert frames.notes[0].startswith(f"{unseen} pictures where it was joined refer to what was cut off")


def test_damage_is_no_joint_and_keeps_the_places(tmp_path: Path) -> None:
    """What refers to a picture that is damaged is lost, and said: the undamaged file has it."""
    whole = film(tmp_path / "whole.mp4", "libx265", {"x265-params": X265})

    def damage(packets: list[Any]) -> list[Any]:
        place = [index for index, packet in enumerate(packets) if packet.is_keyframe][1]
        data = bytearray(bytes(packets[place]))
        start = next(start for kind, start in units(bytes(data)) if kind == 21)
        data[start + 2 :] = bytes(byte * 7 + 3 & 255 for byte in data[start + 2 :])
        return [*packets[:place], changed(packets[place], bytes(data)), *packets[place + 1 :]]

    frames = opened(remuxed(whole, tmp_path / "damaged.mp4", damage))
    intact = {frame.index: frame.rgb for frame in opened(whole)}
    found = list(frames)
    assert len(frames.names) == 24
    assert 0 < len(found) < 24
    assert all(np.array_equal(frame.rgb, intact[frame.index]) for frame in found)
    assert len(found) + len(frames.losses) == 24


def test_a_whole_open_group_of_pictures(tmp_path: Path) -> None:
    frames = check_as_decoded(film(tmp_path / "whole.mp4", "libx265", {"x265-params": X265}))
    assert len(frames.names) == 24
    assert frames.notes == []


def test_damage_in_the_middle_of_a_video_without_times_keeps_the_places(tmp_path: Path) -> None:
    path = film(tmp_path / "a.avi", "mpeg4", {"bf": "2", "b": "2000000"})
    whole = [frame.rgb for frame in opened(path)]
    data = bytearray(path.read_bytes())
    place = data.find(b"00dc", len(data) // 2)
    length = int.from_bytes(data[place + 4 : place + 8], "little")
    data[place + 8 : place + 8 + length] = bytes(length)  # a packet that does not decode
    path.write_bytes(data)
    frames = opened(path)
    found = list(frames)
    assert len(frames.names) == 24
    assert np.array_equal(found[-1].rgb, whole[found[-1].index])


@pytest.mark.parametrize("announced", [1000, 67108876, 2**32 - 1])
def test_an_avi_header_is_not_believed_beyond_reason(tmp_path: Path, announced: int) -> None:
    path = film(tmp_path / "a.avi", "mpeg4")
    data = bytearray(path.read_bytes())
    place = data.find(b"strh") + 8 + 32
    assert struct.unpack_from("<I", data, place) == (24,)
    struct.pack_into("<I", data, place, announced)
    path.write_bytes(data)
    frames = opened(path)
    assert len(frames.names) == (1000 if announced == 1000 else 24)
    assert len(list(frames)) == 24
    assert f"24 of {announced} frames are there" in frames.losses[-1].reason


def test_times_and_pixels_as_they_are_meant(tmp_path: Path) -> None:
    probe = probe_video(film(tmp_path / "a.mp4", "libx264"))
    assert [float(time) for time in probe.times] == pytest.approx([index / 10 for index in range(24)])
    assert (probe.bits, probe.pixel_aspect, probe.missing, probe.notes) == (8, 1, "", ())


def test_the_clock_of_dv_is_not_its_rate(tmp_path: Path) -> None:
    path = tmp_path / "tape.dv"
    try:
        with av.open(str(path), "w", format="dv") as file:
            stream = file.add_stream("dvvideo", rate=25)
            stream.width, stream.height, stream.pix_fmt = 720, 576, "yuv420p"
            for index in range(4):
                rgb = np.full((576, 720, 3), 40 * index, np.uint8)
                file.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
            file.mux(stream.encode(None))
    except (ValueError, LookupError) as error:
        pytest.skip(f"this build of FFmpeg has no dvvideo: {error}")
    assert probe_video(path).fps == pytest.approx(25, rel=0.05)
