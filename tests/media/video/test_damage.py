"""Damaged frames of video files: neither they nor what refers to them passes as good."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from av.bitstream import BitStreamFilterContext
from av.video.frame import PictureType

from vsodtool.errors import DataError
from vsodtool.media.video.file_frames import FileFrames
from vsodtool.media.video.inputs import VideoInput
from vsodtool.types import ImageArray

COUNT = 40
DAMAGED = "decodes with damage"
MISSING = "does not decode"
REFERS = "built on a frame that is damaged or missing"
X264 = {"bf": "3", "g": "10", "keyint_min": "10", "sc_threshold": "0", "b-pyramid": "none", "b_strategy": "0"}


def write(path: Path, codec: str = "libx264", **options: str) -> Path:
    """Noise that rolls, with a brighter block, so that every frame needs the ones it refers to."""
    base = np.random.default_rng(0).integers(0, 200, (96, 128, 3), dtype=np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height = 128, 96
        stream.pix_fmt = {"png": "rgb24"}.get(codec, "yuv420p")
        for index in range(COUNT):
            rgb = np.roll(base, 2 * index, axis=1)
            rgb[20:40, index : index + 20] += 55
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        container.mux(stream.encode())
    return path


def damage(path: Path, *stored: int) -> Path:
    """Overwrite the middle of the packets at these places of the stream, which is decoding order."""
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    data, start = bytearray(path.read_bytes()), 0
    for place, packet in enumerate(packets):
        start, size = data.index(packet, start), len(packet)
        if place in stored:
            data[start + size // 3 : start + size * 2 // 3] = b"\xff" * (size * 2 // 3 - size // 3)
        start += size
    path.write_bytes(data)
    return path


def opened(path: Path) -> FileFrames:
    return FileFrames(VideoInput("a", path, "file"))


def read(path: Path) -> dict[int, ImageArray]:
    return {frame.index: frame.rgb for frame in opened(path)}


def check(path: Path, whole: dict[int, ImageArray], lost: dict[int, str]) -> None:
    """Require these losses and that everything else is as in the undamaged file."""
    frames = opened(path)
    found = {frame.index: frame.rgb for frame in frames}
    assert {int(loss.frame_name): loss.reason for loss in frames.losses} == lost
    assert [int(loss.frame_name) for loss in frames.losses] == sorted(lost)
    assert sorted(found) == [index for index in range(COUNT) if index not in lost]
    assert all(np.array_equal(rgb, whole[index]) for index, rgb in found.items())


def span(first: int, end: int) -> dict[int, str]:
    return dict.fromkeys(range(first, end), REFERS)


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "avi"])  # AVI tells no times
def test_what_refers_to_a_damaged_key_frame_is_lost(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"a.{suffix}", **X264)
    whole = read(path)
    check(damage(path, 10), whole, {10: DAMAGED, **span(11, 20)})


def test_b_frames_shown_before_what_they_refer_to_are_lost(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mkv", **X264)
    whole = read(path)
    # Stored: I0 P4 B1 B2 B3 P8 ...
    check(damage(path, 1), whole, {**span(1, 10), 4: DAMAGED})


def test_nothing_refers_to_a_b_frame(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mkv", **X264)
    whole = read(path)
    check(damage(path, 3), whole, {2: DAMAGED})


def test_mpeg_has_b_frames_that_nothing_refers_to(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mkv", "mpeg2video", bf="2", g="12", b="2000000")
    whole = read(path)
    frames = opened(damage(path, 2))
    found = {frame.index: frame.rgb for frame in frames}
    assert [(loss.frame_name, loss.reason) for loss in frames.losses] == [("00001", DAMAGED)]
    assert all(np.array_equal(rgb, whole[index]) for index, rgb in found.items())


def test_leading_pictures_of_an_open_group_refer_to_both_sides(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mkv", **X264, flags="-cgop", **{"x264-params": "open-gop=1"})
    whole = read(path)
    with av.open(str(path)) as container:
        keys = [frame.key_frame for frame in container.decode(video=0)]
        assert any(keys[1:]), "key frames that are shown behind others stored later"
    following = keys.index(True, 1)
    frames = opened(damage(path, 0))
    found = {frame.index: frame.rgb for frame in frames}
    assert min(found) == following, "up to the next key frame, with what is shown before and stored behind it"
    assert all(np.array_equal(rgb, whole[index]) for index, rgb in found.items())
    assert sorted(found) == list(range(following, COUNT))


def test_every_frame_of_an_intra_codec_is_for_itself(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mov", "png")
    whole = read(path)
    check(damage(path, 7), whole, {7: MISSING})


def test_a_decoder_that_refuses_what_it_cannot_build_is_believed(tmp_path: Path) -> None:
    """AV1; its decoder has a thread of its own, whatever it is told."""
    try:
        path = write(tmp_path / "a.mkv", "libsvtav1", g="10", preset="12")
    except (av.FFmpegError, ValueError) as error:
        pytest.skip(f"this build of FFmpeg has no encoder of AV1: {error}")
    whole = read(path)
    assert len(whole) == COUNT
    frames = opened(damage(path, 11))
    found = {frame.index: frame.rgb for frame in frames}
    assert {loss.reason for loss in frames.losses} == {MISSING}
    assert all(np.array_equal(rgb, whole[index]) for index, rgb in found.items())


def test_a_stream_that_is_refreshed_bit_by_bit_recovers_without_a_key_frame(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mkv", g="10", bf="0", **{"x264-params": "intra-refresh=1"})
    whole = read(path)
    with av.open(str(path)) as container:
        assert sum(frame.key_frame for frame in container.decode(video=0)) == 1
    frames = opened(damage(path, 5))
    found = {frame.index: frame.rgb for frame in frames}
    assert [int(loss.frame_name) for loss in frames.losses] == [*range(5, COUNT - len(found) + 5)]
    assert 10 < len(found) < COUNT - 1, "it goes on where a refresh has passed that began after the damage"
    assert all(np.array_equal(rgb, whole[index]) for index, rgb in found.items())


def test_behind_the_second_of_unmarked_i_pictures_it_goes_on(tmp_path: Path) -> None:
    marked = write(tmp_path / "marked.mp4", **X264, flags="-cgop", **{"x264-params": "open-gop=1"})
    path = tmp_path / "a.mp4"
    with av.open(str(marked)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        bare = BitStreamFilterContext("filter_units=remove_types=6", source.streams.video[0], stream)
        for packet in source.demux(video=0):
            if packet.size:
                for each in bare.filter(packet):
                    each.stream = stream
                    target.mux(each)
    with av.open(str(path)) as container:
        shown = [(frame.pict_type, frame.key_frame) for frame in container.decode(video=0)]
    unmarked = [place for place, (kind, is_key) in enumerate(shown) if kind == PictureType.I and not is_key]
    assert len(unmarked) > 2
    whole = read(path)
    frames = opened(damage(path, 1))
    found = {frame.index: frame.rgb for frame in frames}
    assert sorted(found) == [0, *range(unmarked[1], COUNT)]
    assert all(np.array_equal(rgb, whole[index]) for index, rgb in found.items())


def test_without_a_later_key_frame_all_the_rest_is_lost(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mkv", **{**X264, "g": "250"})
    whole = read(path)
    check(damage(path, 9), whole, {**span(9, COUNT), 12: DAMAGED})


def test_a_damaged_key_frame_that_is_the_only_one_leaves_nothing(tmp_path: Path) -> None:
    path = damage(write(tmp_path / "a.mkv", **{**X264, "g": "250"}), 0)
    with pytest.raises(DataError, match=f"none of its {COUNT} frames decodes without damage"):
        list(opened(path))


@pytest.mark.parametrize("wanted", [{12}, {15, 25}, {0, 12, 22}, {5, 9}])
def test_a_selection_leaves_out_the_same_frames(tmp_path: Path, wanted: set[int]) -> None:
    path = damage(write(tmp_path / "a.mkv", **X264), 10)
    frames = opened(path)
    assert {frame.index for frame in frames.select(wanted)} == wanted - {*range(10, 20)}
    names = {loss.frame_name for loss in frames.losses}
    assert names <= {f"{index:05d}" for index in range(10, 20)}
    assert {f"{index:05d}" for index in wanted & {*range(10, 20)}} <= names


def test_two_readers_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    path = damage(write(tmp_path / "a.mkv", **X264), 1, 30)
    alone = [frame.index for frame in opened(path)]
    both = list(zip(opened(path), opened(path), strict=True))
    assert [one.index for one, _ in both] == [other.index for _, other in both] == alone
    assert 10 < len(alone) < COUNT
