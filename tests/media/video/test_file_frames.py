"""Frames from video files: every container, rotation, uneven times, cut and damaged files."""

from __future__ import annotations

import gc
import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from vsodtool.errors import DataError
from vsodtool.media.video.file_frames import FileFrames
from vsodtool.media.video.frames import open_frames
from vsodtool.media.video.inputs import VideoInput, discover_videos
from vsodtool.types import ImageArray

CODECS = {
    "mp4": ("libx264", "yuv420p"),
    "mov": ("libx264", "yuv420p"),
    "mkv": ("libx264", "yuv420p"),
    "avi": ("mpeg4", "yuv420p"),
    "webm": ("libvpx-vp9", "yuv420p"),
    "gif": ("gif", "rgb8"),
}
FAST_START = {"movflags": "faststart"}


def counted(count: int, height: int = 48, width: int = 64) -> list[ImageArray]:
    """Frames that tell their number by a bright block in the last rows, with the upper left quarter white."""
    frames = []
    step = width // 8
    for index in range(count):
        rgb = np.zeros((height, width, 3), np.uint8)
        rgb[: height // 2, : width // 2] = 255
        rgb[-(height // 4) :, (index + 1) * step : (index + 2) * step] = 255
        frames.append(rgb)
    return frames


def noisy(count: int) -> list[ImageArray]:
    base = np.random.default_rng(0).integers(0, 256, (96, 128, 3), dtype=np.uint8)
    return [np.roll(base, index, axis=1) for index in range(count)]


def write(
    path: Path,
    frames: Sequence[ImageArray],
    *,
    codec: str = "",
    times: Sequence[int] | None = None,
    rotation: int | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    default, pixel_format = CODECS[path.suffix[1:]]
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec or default, rate=25)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else pixel_format
        stream.codec_context.gop_size = 12
        if rotation is not None:
            stream.set_display_rotation(rotation)
        for index, rgb in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame.pts = index if times is None else times[index]
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def opened(path: Path) -> FileFrames:
    frames = open_frames(discover_videos([str(path)])[0])
    assert isinstance(frames, FileFrames)
    return frames


def numbers(frames: FileFrames) -> list[int]:
    return [int(frame.rgb[-1, :, 1].argmax()) // (frame.rgb.shape[1] // 8) - 1 for frame in frames]


@pytest.mark.parametrize("suffix", CODECS)
def test_every_container(tmp_path: Path, suffix: str) -> None:
    frames = opened(write(tmp_path / "ein Film ü" / f"clip.{suffix}", counted(6)))
    assert frames.names == ["00000", "00001", "00002", "00003", "00004", "00005"]
    assert frames.size == (48, 64)
    assert frames.fps == pytest.approx(25)
    assert numbers(frames) == [0, 1, 2, 3, 4, 5]
    assert [frame.name for frame in frames] == frames.names
    assert frames.losses == []


@pytest.mark.parametrize(
    ("name", "codec"), [("a.avi", "libx264"), ("a.avi", "mjpeg"), ("a.webm", "libvpx"), ("a.mp4", "libx265")]
)
def test_other_codecs(tmp_path: Path, name: str, codec: str) -> None:
    # H.264 in AVI has reordered frames and no presentation times.
    try:
        path = write(tmp_path / name, counted(6), codec=codec)
    except (av.FFmpegError, ValueError) as error:
        pytest.skip(f"this build of FFmpeg has no {codec}: {error}")
    frames = opened(path)
    assert numbers(frames) == [0, 1, 2, 3, 4, 5]
    assert frames.losses == []


@pytest.mark.parametrize("suffix", CODECS)
def test_one_frame(tmp_path: Path, suffix: str) -> None:
    frames = opened(write(tmp_path / f"clip.{suffix}", counted(1)))
    assert frames.names == ["00000"]
    assert [frame.rgb.shape for frame in frames] == [(48, 64, 3)]


def test_colours_are_rgb(tmp_path: Path) -> None:
    red = np.full((48, 64, 3), (220, 30, 30), np.uint8)
    (frame,) = opened(write(tmp_path / "clip.mp4", [red]))
    assert np.abs(frame.rgb.astype(int) - red).max() < 12


@pytest.mark.parametrize("size", [(16, 16), (2160, 3840)])
def test_small_and_large(tmp_path: Path, size: tuple[int, int]) -> None:
    frames = opened(write(tmp_path / "clip.mp4", counted(2, *size)))
    assert frames.size == size
    assert numbers(frames) == [0, 1]


def test_odd_size(tmp_path: Path) -> None:
    frames = opened(write(tmp_path / "clip.gif", counted(2, 37, 53)))
    assert frames.size == (37, 53)
    assert len(list(frames)) == 2


@pytest.mark.parametrize(
    ("rotation", "corner"), [(0, (0, 0)), (90, (-1, 0)), (180, (-1, -1)), (-90, (0, -1)), (270, (0, -1))]
)
def test_rotation_is_applied(tmp_path: Path, rotation: int, corner: tuple[int, int]) -> None:
    """`rotation` turns counter-clockwise, as FFmpeg counts; the white quarter starts in the upper left."""
    frames = opened(write(tmp_path / "clip.mp4", counted(2), rotation=rotation))
    assert frames.size == ((48, 64) if rotation % 180 == 0 else (64, 48))
    for frame in frames:
        assert frame.rgb.shape[:2] == frames.size
        corners = {(y, x): int(frame.rgb[y, x].min()) for y in (0, -1) for x in (0, -1)}
        assert [place for place, value in corners.items() if value > 200] == [corner]


def test_uneven_times_give_every_frame_once(tmp_path: Path) -> None:
    frames = opened(write(tmp_path / "clip.mp4", counted(6), times=[0, 1, 5, 6, 20, 21]))
    assert numbers(frames) == [0, 1, 2, 3, 4, 5]
    assert frames.losses == []


@pytest.mark.parametrize(
    ("name", "bound"),
    [("clip.webm", 5), ("clip.mp4", 7)],  # three B frames wait for the one that they refer to
)
def test_decoded_frames_are_let_go_at_once(tmp_path: Path, name: str, bound: int) -> None:
    frames = opened(write(tmp_path / name, counted(30)))
    assert frames.size == (48, 64)
    gc.collect()
    gc.disable()

    def held() -> int:
        return sum(issubclass(type(thing), av.VideoFrame) for thing in gc.get_objects())

    try:
        before = held()  # other tests' threads may not yet have let go of theirs
        most = 0
        for _ in frames:
            most = max(most, held() - before)
    finally:
        gc.enable()
    assert most < bound
    assert len(list(frames)) == 30


def test_hidden_frames_are_not_counted(tmp_path: Path) -> None:
    """VP8 stores reference frames that are never shown as packets of their own."""
    path = write(tmp_path / "shown.webm", counted(6), codec="libvpx")
    with av.open(str(path)) as source, av.open(str(tmp_path / "hidden.webm"), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for index, packet in enumerate(source.demux(source.streams.video[0])):
            data = bytearray(bytes(packet))
            if index == 3:
                data[0] &= ~0x10
            if data:
                copy = av.Packet(bytes(data))
                copy.pts, copy.dts, copy.time_base = packet.pts, packet.dts, packet.time_base
                copy.is_keyframe = packet.is_keyframe
                copy.stream = stream
                target.mux(copy)
    frames = opened(tmp_path / "hidden.webm")
    assert len(frames.names) == 5
    assert numbers(frames) == [0, 1, 2, 4, 5]
    assert frames.losses == []


def test_iterating_twice_starts_again(tmp_path: Path) -> None:
    frames = opened(write(tmp_path / "clip.mp4", counted(4)))
    first = next(iter(frames))
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert first.index == 0


def cut(path: Path, share: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "a.webm", "a.avi"])
def test_a_cut_video_ends_early_with_one_loss(tmp_path: Path, name: str) -> None:
    path = write(
        tmp_path / name, noisy(40), options=FAST_START if name[2] == "m" and name[3] != "k" else None
    )
    whole = [frame.rgb for frame in opened(path)]
    frames = opened(cut(path, 0.7))
    assert len(frames.names) == 40, "masks of the lost part are still known frames"
    found = list(frames)
    ends = [loss for loss in frames.losses if "the video ends here" in loss.reason]
    assert 0 < len(found) < 40
    assert [frame.index for frame in found] == list(range(len(found)))
    assert all(np.array_equal(frame.rgb, whole[frame.index]) for frame in found[:-3])
    assert len(ends) == 1
    assert ends[0] == frames.losses[-1]
    assert "bytes of the file are missing" in ends[0].reason
    assert int(ends[0].frame_name) in (len(found), len(found) + 1)


def test_a_cut_gif_is_a_loss(tmp_path: Path) -> None:
    frames = opened(cut(write(tmp_path / "a.gif", noisy(6)), 0.5))
    assert 0 < len(list(frames)) < 6
    assert "end marker" in frames.losses[-1].reason


def test_a_cut_mp4_without_its_index_is_refused(tmp_path: Path) -> None:
    path = cut(write(tmp_path / "a.mp4", noisy(20)), 0.7)
    with pytest.raises(DataError, match="cannot be opened") as caught:
        opened(path)
    assert str(path) in caught.value.message
    assert "bytes of the file are missing" in caught.value.hint


def test_damage_in_the_middle_keeps_the_numbers_of_the_others(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", noisy(40), options=FAST_START)
    whole = [frame.rgb for frame in opened(path)]
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 2000] = np.random.default_rng(1).integers(0, 256, 2000, dtype=np.uint8).tobytes()
    path.write_bytes(data)
    frames = opened(path)
    found = list(frames)
    lost = {int(loss.frame_name) for loss in frames.losses}
    assert lost
    assert {frame.index for frame in found} == set(range(40)) - lost
    assert all(frame.name == f"{frame.index:05d}" for frame in found)
    # From the next key frame on everything is as it was.
    assert np.array_equal(found[-1].rgb, whole[39])
    again = list(frames)
    assert all(np.array_equal(one.rgb, other.rgb) for one, other in zip(found, again, strict=True))


def test_nothing_that_decodes_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mkv", noisy(8))
    data = bytearray(path.read_bytes())
    start = data.find(b"\x1f\x43\xb6\x75") + 40  # behind the head of the first cluster
    data[start:] = b"\x55" * (len(data) - start)
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"none of its \d+ frames decodes|found no frames") as caught:
        list(opened(path))
    assert caught.value.hint


def test_a_file_that_is_no_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"text" * 100)
    with pytest.raises(DataError, match=r"a\.mp4: expected a video") as caught:
        opened(tmp_path / "a.mp4")
    assert caught.value.exit_code == 3
    (tmp_path / "b.mp4").write_bytes(b"")
    with pytest.raises(DataError, match=r"b\.mp4"):
        opened(tmp_path / "b.mp4")


def test_sound_without_pictures_is_refused(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(DataError, match="expected a video stream, found 1 streams of other kinds"):
        opened(tmp_path / "a.mp4")


def test_real_videos(shared: Path) -> None:
    frames = opened(shared / "data" / "videos" / "chair.mp4")
    assert len(frames.names) == 60
    assert frames.size == (480, 720)
    assert sum(1 for _ in frames) == 60
    assert frames.losses == []


def test_selected_frames_only(tmp_path: Path) -> None:
    frames = open_frames(discover_videos([str(write(tmp_path / "a.mp4", counted(6)))])[0])
    every = {frame.index: frame.rgb for frame in frames}
    found = list(frames.select({1, 3}))
    assert [(frame.index, frame.name) for frame in found] == [(1, "00001"), (3, "00003")]
    assert all(np.array_equal(frame.rgb, every[frame.index]) for frame in found)
    assert frames.losses == []
    assert list(frames.select(())) == []
    assert [frame.index for frame in frames] == [*range(6)]


ONE = 1 << 16


def write_turned(path: Path, matrix: tuple[int, int, int, int]) -> Path:
    """A clip whose `tkhd` box holds the matrix (a, b, c, d), pixels: white upper left, grey upper right."""
    rgb = np.zeros((32, 48, 3), np.uint8)
    rgb[:16, :24], rgb[:16, 24:] = 255, 128
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        container.mux(stream.encode())
    data = bytearray(path.read_bytes())
    place = data.find(struct.pack(">9i", ONE, 0, 0, 0, ONE, 0, 0, 0, 1 << 30), data.find(b"tkhd"))
    a, b, c, d = matrix
    data[place : place + 36] = struct.pack(">9i", a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("matrix", "corners"),  # upper left, upper right, lower left, lower right
    [
        ((1, 0, 0, 1), [255, 128, 0, 0]),
        ((-1, 0, 0, -1), [0, 0, 128, 255]),
        ((-1, 0, 0, 1), [128, 255, 0, 0]),
        ((1, 0, 0, -1), [0, 0, 255, 128]),
        ((0, 1, -1, 0), [0, 255, 0, 128]),  # a phone held upright: shown turned clockwise
        ((0, -1, 1, 0), [128, 0, 255, 0]),
        ((0, 1, 1, 0), [255, 0, 128, 0]),
        ((0, -1, -1, 0), [0, 128, 0, 255]),
    ],
)
def test_every_orientation(tmp_path: Path, matrix: tuple[int, int, int, int], corners: list[int]) -> None:
    path = write_turned(tmp_path / "a.mp4", matrix)
    (frame,) = open_frames(VideoInput("a", path, "file"))
    found = [int(frame.rgb[y, x].mean()) for y in (0, -1) for x in (0, -1)]
    assert frame.rgb.flags.c_contiguous
    assert found == pytest.approx(corners, abs=12)


@pytest.mark.parametrize(
    ("pixels", "shift"), [("gray16le", 0), ("gray16le", 4), ("gray10le", 8), ("gray12le", 8), ("gray14le", 8)]
)
def test_grey_video_deeper_than_8_bit_is_stretched_by_its_own_range(
    tmp_path: Path, pixels: str, shift: int
) -> None:
    grey = [np.random.default_rng(seed).integers(0, 256, (32, 48)).astype(np.uint16) for seed in range(3)]
    grey[0][0, :2] = 0, 255
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 48, 32, pixels
        for values in grey:
            frame = av.VideoFrame.from_ndarray(values << shift, format="gray16le").reformat(format=pixels)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    frames = opened(tmp_path / "a.mkv")
    for frame, values in zip(frames, grey, strict=True):
        assert np.abs(frame.rgb.astype(int) - values[..., None]).max() <= 1
    assert "becomes 0 to 255" in frames.notes[-1]


def test_10_bit_colour_is_stretched_too_and_8_bit_is_not(tmp_path: Path) -> None:
    dark = [rgb // 4 for rgb in counted(4)]
    for name, pixels in (("deep", "yuv420p10le"), ("plain", "yuv420p")):
        with av.open(str(tmp_path / f"{name}.mp4"), "w") as container:
            stream = container.add_stream("libx264", rate=10, options={"crf": "4"})
            stream.width, stream.height, stream.pix_fmt = 64, 48, pixels
            for rgb in dark:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
            container.mux(stream.encode(None))
    deep, plain = opened(tmp_path / "deep.mp4"), opened(tmp_path / "plain.mp4")
    assert min(int(frame.rgb.max()) for frame in deep) > 240
    assert "frames of 10 bit" in deep.notes[0]
    assert max(int(frame.rgb.max()) for frame in plain) < 80
    assert plain.notes == []


@pytest.mark.parametrize(("rotation", "aspect"), [(0, Fraction(4, 3)), (90, Fraction(3, 4))])
def test_the_aspect_of_pixels_turns_with_the_frame(tmp_path: Path, rotation: int, aspect: Fraction) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        stream.set_display_rotation(rotation)
        for rgb in counted(2):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        container.mux(stream.encode())
    assert opened(path).pixel_aspect == aspect
