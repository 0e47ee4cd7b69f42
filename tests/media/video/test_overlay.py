"""The overlay: right colours, and a file that any player takes."""

from __future__ import annotations

import errno
import math
import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from vsodtool.errors import DataError, DeviceError
from vsodtool.media.video.overlay import Clock, OverlayWriter, blend, object_colour, write_caption
from vsodtool.types import ImageArray, LabelArray


def picture(size: tuple[int, int], value: int = 100) -> ImageArray:
    return np.full((*size, 3), value, np.uint8)


def labels(size: tuple[int, int], *ids: int) -> LabelArray:
    """Vertical stripes of the given ids."""
    columns = np.arange(size[1]) * len(ids) // size[1]
    return np.broadcast_to(np.array(ids, np.uint16)[columns], size).copy()


def decode(path: Path) -> list[npt.NDArray[np.uint8]]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_tints_45_percent_and_leaves_the_background() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    ids = labels((40, 60), 0, 1, 0)
    before = rgb.copy(), ids.copy()
    out = blend(rgb, ids, contour=False)
    expected = 0.55 * rgb[ids == 1] + 0.45 * np.array(object_colour(1))
    assert np.abs(out[ids == 1] - expected).max() <= 1
    assert np.array_equal(out[ids == 0], rgb[ids == 0])
    assert np.array_equal(rgb, before[0])
    assert np.array_equal(ids, before[1])


def test_the_contour_is_one_crisp_line_inside_the_object() -> None:
    ids = np.zeros((30, 30), np.uint16)
    ids[10:20, 10:20] = 3
    out = blend(picture((30, 30)), ids)
    line = (out == object_colour(3)).all(axis=2)
    expected = np.zeros((30, 30), bool)
    expected[10:20, 10:20] = True
    expected[11:19, 11:19] = False
    assert np.array_equal(line, expected)


def test_touching_objects_each_keep_their_colour() -> None:
    out = blend(picture((20, 20)), labels((20, 20), 1, 2))
    assert tuple(out[10, 9]) == object_colour(1)
    assert tuple(out[10, 10]) == object_colour(2)
    assert not (out[10, 0] == object_colour(1)).all()  # no line at the border of the image


def test_the_line_grows_with_the_image() -> None:
    size = (2160, 96)
    wide = blend(picture((2160, 2160))[:, :96], labels(size, 1, 0))
    assert (wide[0] == object_colour(1)).all(axis=1).sum() == 1
    large = blend(picture((960, 960)), labels((960, 960), 1, 0))
    assert (large[0] == object_colour(1)).all(axis=1).sum() == 2


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (2, 3)])
@pytest.mark.parametrize("identity", [0, 1, 255, 65535])
def test_tiny_images_and_large_ids(size: tuple[int, int], identity: int) -> None:
    out = blend(picture(size), labels(size, identity))
    assert out.shape == (*size, 3)
    assert (out == 100).all() == (identity == 0)


def test_colours_are_distinct() -> None:
    colours = np.array([object_colour(identity) for identity in range(1, 13)], float)
    apart = np.linalg.norm(colours[:, None] - colours[None], axis=2) + 1e3 * np.eye(len(colours))
    assert apart.min() > 60
    assert len({object_colour(identity) for identity in range(256)}) == 256


def test_sizes_must_agree(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected labels of size"):
        blend(picture((4, 4)), labels((4, 5), 1))
    with (
        pytest.raises(DataError, match=r"expected a frame \(4, 6\), found \(4, 4\)"),
        OverlayWriter(tmp_path / "film.mp4", (4, 6), 24) as writer,
    ):
        writer.add(picture((4, 4)), labels((4, 4), 1))
    assert list(tmp_path.iterdir()) == []


def boxes(data: bytes) -> list[str]:
    """Names of the top-level boxes of an mp4 file."""
    names, position = [], 0
    while position < len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        names.append(data[position + 4 : position + 8].decode("ascii"))
        position += length
    return names


@pytest.mark.parametrize("size", [(48, 64), (33, 47), (1, 1), (16, 16), (17, 16)])
def test_the_file_is_what_browsers_take(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "sub" / "é film.mp4"
    with OverlayWriter(path, size, 25) as writer:
        for _ in range(7):
            writer.add(picture(size), labels(size, 0, 1))
        assert not path.exists()
    assert [file.name for file in path.parent.iterdir()] == ["é film.mp4"]
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert (stream.height, stream.width) == (size[0] + size[0] % 2, size[1] + size[1] % 2)
        assert stream.average_rate == 25
        assert stream.codec_context.colorspace == 1  # BT.709, said in the stream
        assert stream.codec_context.color_range == 1
    assert len(decode(path)) == 7
    names = boxes(path.read_bytes())
    assert names.index("moov") < names.index("mdat")  # plays before it is loaded


@pytest.mark.parametrize(
    ("fps", "expected"),
    [
        (24, Fraction(24)),
        (29.97002997, Fraction(30000, 1001)),
        (Fraction(24000, 1001), Fraction(24000, 1001)),
        (12.5, Fraction(25, 2)),
        (0.5, Fraction(1, 2)),
        (240.0, Fraction(240)),
    ],
)
def test_keeps_the_frame_rate(tmp_path: Path, fps: float | Fraction, expected: Fraction) -> None:
    with OverlayWriter(tmp_path / "film.mp4", (16, 16), fps) as writer:
        for _ in range(5):
            writer.add(picture((16, 16)), labels((16, 16), 1))
    with av.open(str(tmp_path / "film.mp4")) as container:
        assert container.streams.video[0].average_rate == expected
        times = [frame.time for frame in container.decode(video=0)]
    assert times == pytest.approx([index / float(expected) for index in range(5)], abs=1e-4)


@pytest.mark.parametrize("fps", [0, -1, math.nan, math.inf])
def test_no_frame_rate_is_refused(tmp_path: Path, fps: float) -> None:
    with pytest.raises(DataError, match="frame rate above 0"):
        OverlayWriter(tmp_path / "film.mp4", (16, 16), fps)


def test_the_colours_survive_the_encoder(tmp_path: Path) -> None:
    size = (96, 128)
    ids = labels(size, 0, 1, 2, 3)
    with OverlayWriter(tmp_path / "film.mp4", size, 24) as writer:
        for _ in range(3):
            writer.add(picture(size), ids)
    shown, meant = decode(tmp_path / "film.mp4")[1].astype(float), blend(picture(size), ids).astype(float)
    for column in (10, 48, 80, 112):
        assert np.abs(shown[20:70, column].mean(axis=0) - meant[20:70, column].mean(axis=0)).max() < 4


def test_padding_repeats_the_last_row_and_column(tmp_path: Path) -> None:
    with OverlayWriter(tmp_path / "film.mp4", (33, 47), 24) as writer:
        writer.add(picture((33, 47), 200), labels((33, 47), 0))
    frame = decode(tmp_path / "film.mp4")[0]
    assert frame.shape == (34, 48, 3)
    assert frame[-1, -1].min() > 190


def test_without_frames_there_is_no_file(tmp_path: Path) -> None:
    with OverlayWriter(tmp_path / "film.mp4", (16, 16), 24) as writer:
        writer.close()
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_film_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"old")

    def interrupted() -> None:
        with OverlayWriter(path, (16, 16), 24) as writer:
            writer.add(picture((16, 16)), labels((16, 16), 1))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_same_frames_give_the_same_file(tmp_path: Path) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    for name in ("a.mp4", "b.mp4"):
        with OverlayWriter(tmp_path / name, (64, 96), 24) as writer:
            for shift in range(30):
                writer.add(np.roll(rgb, shift, 1), labels((64, 96), 0, 1))
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def noise_film(path: Path) -> None:
    noise = np.random.default_rng(0)
    with OverlayWriter(path, (240, 320), 24) as writer:
        for _ in range(60):
            rgb = noise.integers(0, 256, (240, 320, 3), dtype=np.uint8)
            writer.add(rgb, labels((240, 320), 0, 1))


def test_a_really_full_disk(mount_tmpfs: Callable[[str], Path]) -> None:
    disk = mount_tmpfs("size=64k")
    open_files = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(DeviceError, match="disk full"):
        noise_film(disk / "film.mp4")
    assert list(disk.iterdir()) == []
    assert len(list(Path("/proc/self/fd").iterdir())) == open_files


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise av.error.OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "film.mp4")

    monkeypatch.setattr("vsodtool.media.video.overlay.av.open", full)
    with pytest.raises(DeviceError, match="disk full"):
        noise_film(tmp_path / "film.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_read_only_disk(mount_tmpfs: Callable[[str], Path]) -> None:
    disk = mount_tmpfs("ro")
    with pytest.raises(DeviceError, match="not writable"):
        noise_film(disk / "film.mp4")


def test_a_build_without_the_encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Container:
        def add_stream(self, *args: object, **kwargs: object) -> None:
            raise av.codec.codec.UnknownCodecError("libx264")

        def close(self) -> None:
            pass

    monkeypatch.setattr("vsodtool.media.video.overlay.av.open", lambda *args, **kwargs: Container())
    with pytest.raises(DeviceError, match=r"no H\.264 encoder"):
        noise_film(tmp_path / "film.mp4")


def test_the_same_frames_give_the_same_bytes(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    frames = [random.integers(0, 256, (240, 427, 3), dtype=np.uint8) for _ in range(6)]
    labels = np.zeros((240, 427), np.uint16)
    labels[50:100, 60:200] = 1
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        with OverlayWriter(tmp_path / name, (240, 427), 24) as writer:
            for frame in frames:
                writer.add(frame, labels)
    first, *others = (path.read_bytes() for path in sorted(tmp_path.glob("*.mp4")))
    assert all(other == first for other in others)


def shown_at(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [float(frame.time or 0) for frame in container.decode(video=0)]


def test_uneven_times_are_kept(tmp_path: Path) -> None:
    times = [Fraction(index, 10) for index in range(8)] + [2 + Fraction(index, 25) for index in range(16)]
    with OverlayWriter(tmp_path / "a.mp4", (32, 48), Clock(Fraction(24 * 10, 26), times)) as writer:
        for _ in times:
            writer.add(picture((32, 48)), labels((32, 48), 0, 1))
    assert shown_at(tmp_path / "a.mp4") == pytest.approx([float(time) for time in times], abs=1e-3)


def test_times_that_are_a_steady_rate_rounded_are_that_rate() -> None:
    clock = Clock(30000 / 1001, [Fraction(round(1000 * index * 1001 / 30000), 1000) for index in range(300)])
    assert clock.time_base == Fraction(1001, 30000)
    assert [clock.at(index) for index in (0, 7, 400)] == [0, 7, 400]


def test_frames_left_out_leave_the_others_in_their_places(tmp_path: Path) -> None:
    for name, clock in (("a", Clock(10)), ("b", Clock(10, [Fraction(0), Fraction(1), Fraction(5)]))):
        with OverlayWriter(tmp_path / f"{name}.mp4", (32, 48), clock) as writer:
            for index in (0, 2, 3):
                writer.add(picture((32, 48)), labels((32, 48), 0), index=index)
    assert shown_at(tmp_path / "a.mp4") == pytest.approx([0, 0.2, 0.3])
    assert shown_at(tmp_path / "b.mp4") == pytest.approx([0, 5, 5.1], abs=1e-3)


@pytest.mark.parametrize("aspect", [Fraction(4, 3), Fraction(9, 16), Fraction(40, 33)])
def test_the_aspect_of_pixels_is_kept(tmp_path: Path, aspect: Fraction) -> None:
    with OverlayWriter(tmp_path / "a.mp4", (32, 48), 10, aspect) as writer:
        writer.add(picture((32, 48)), labels((32, 48), 0))
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.streams.video[0].sample_aspect_ratio == aspect


def test_a_colon_in_the_path_is_no_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with OverlayWriter(Path("run:1/a.mp4"), (32, 48), 10) as writer:
        writer.add(picture((32, 48)), labels((32, 48), 0))
    assert len(decode(tmp_path / "run:1" / "a.mp4")) == 1


def test_a_caption_stands_in_the_corner_and_nowhere_else() -> None:
    grey = np.full((240, 320, 3), 128, np.uint8)
    told = write_caption(grey, "00012  generated  0.81")
    changed = np.argwhere((told != grey).any(axis=2))
    assert changed.min() == 0
    assert 8 < changed[:, 0].max() < 40
    assert 80 < changed[:, 1].max() < 240
    assert told.max() > 240
    assert grey.min() == grey.max() == 128
    for tiny in (grey[:20, :30], grey[:, :40]):
        assert write_caption(tiny, "00012  generated  0.81") is tiny
    assert write_caption(grey, "") is grey


def test_colours_may_be_those_of_the_masks(tmp_path: Path) -> None:
    def green(number: int) -> tuple[int, int, int]:
        return (0, 200 + number, 0)

    path, size = tmp_path / "film.mp4", (64, 96)
    ids = labels(size, 1)
    shown = blend(np.zeros((*size, 3), np.uint8), ids, contour=False, colour_of=green)
    assert set(map(tuple, shown[ids == 1])) == {(0, round(0.45 * 201), 0)}
    with OverlayWriter(path, size, 24, colour_of=green) as writer:
        writer.add(np.zeros((*size, 3), np.uint8), ids, caption="0  given")
    assert path.stat().st_size > 0
