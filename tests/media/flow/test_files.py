"""Flow files: other readers agree, what is damaged is refused."""

from __future__ import annotations

import errno
import io
import os
import struct
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsodtool.errors import DataError, DeviceError, UsageError
from vsodtool.media.flow.files import FLOW_FORMATS, FlowArray, read_flow, write_flow

SIZES = [(1, 1), (1, 7), (5, 1), (16, 16), (33, 47)]


def random_flow(size: tuple[int, int], scale: float = 30.0) -> FlowArray:
    return np.random.default_rng(sum(size)).normal(0, scale, (*size, 2)).astype(np.float32)


def png_pixels(data: bytes) -> npt.NDArray[np.uint16]:
    """An independent reader of 16-bit RGB PNGs, from the PNG specification (filters 0 to 4, no interlace)."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    position, compressed, header = 8, b"", b""
    while position < len(data):
        length, kind = struct.unpack(">I4s", data[position : position + 8])
        body = data[position + 8 : position + 8 + length]
        header = body if kind == b"IHDR" else header
        compressed += body if kind == b"IDAT" else b""
        position += 12 + length
    width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", header)
    assert (depth, colour, interlace) == (16, 2, 0)
    raw, stride, step = zlib.decompress(compressed), 6 * width, 6
    rows = [bytearray(stride)]
    for y in range(height):
        kind, line = raw[y * (stride + 1)], bytearray(raw[y * (stride + 1) + 1 : (y + 1) * (stride + 1)])
        above = rows[-1]
        for x in range(stride):
            left = line[x - step] if x >= step else 0
            corner = above[x - step] if x >= step else 0
            guess = left + above[x] - corner
            paeth = min((left, above[x], corner), key=lambda value: abs(guess - value))
            line[x] = (line[x] + (0, left, above[x], (left + above[x]) // 2, paeth)[kind]) & 255
        rows.append(line)
    return np.frombuffer(b"".join(rows[1:]), ">u2").reshape(height, width, 3).astype(np.uint16)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("format", "tolerance"), [("flo", 0), ("npz", 0), ("png", 1 / 128)])
def test_round_trip(tmp_path: Path, size: tuple[int, int], format: str, tolerance: float) -> None:
    flow = random_flow(size)
    path = tmp_path / "é 1" / f"flow.{format}"
    write_flow(path, flow, format)
    back = read_flow(path)
    assert back.dtype == np.float32
    assert back.shape == flow.shape
    assert np.abs(back - flow).max() <= tolerance


@pytest.mark.parametrize("size", SIZES)
def test_opencv_reads_our_flo_and_we_read_its(tmp_path: Path, size: tuple[int, int]) -> None:
    flow = random_flow(size)
    write_flow(tmp_path / "ours.flo", flow, "flo")
    assert np.array_equal(cv2.readOpticalFlow(str(tmp_path / "ours.flo")), flow)
    assert cv2.writeOpticalFlow(str(tmp_path / "theirs.flo"), flow)
    assert np.array_equal(read_flow(tmp_path / "theirs.flo"), flow)
    assert (tmp_path / "ours.flo").read_bytes() == (tmp_path / "theirs.flo").read_bytes()


@pytest.mark.parametrize("size", SIZES)
def test_an_independent_reader_sees_the_kitti_channels(tmp_path: Path, size: tuple[int, int]) -> None:
    flow = random_flow(size)
    flow[0, 0] = np.nan
    write_flow(tmp_path / "flow.png", flow, "png")
    red, green, blue = np.moveaxis(png_pixels((tmp_path / "flow.png").read_bytes()).astype(np.float64), 2, 0)
    assert (red[0, 0], green[0, 0], blue[0, 0]) == (0, 0, 0)
    assert blue.sum() == blue.size - 1
    valid = blue == 1
    assert np.abs((red - 2**15) / 64 - flow[..., 0])[valid].max(initial=0) <= 1 / 128
    assert np.abs((green - 2**15) / 64 - flow[..., 1])[valid].max(initial=0) <= 1 / 128


def test_ffmpeg_sees_the_kitti_channels(tmp_path: Path) -> None:
    flow = random_flow((33, 47))
    write_flow(tmp_path / "flow.png", flow, "png")
    with av.open(str(tmp_path / "flow.png")) as container:
        frame = next(container.decode(video=0))
        pixels = frame.to_ndarray(format="rgb48le")
    assert np.array_equal(pixels, png_pixels((tmp_path / "flow.png").read_bytes()))


def test_we_read_a_kitti_png_of_another_writer(tmp_path: Path) -> None:
    rgb = np.array([[[32768 + 64, 32768 - 128, 1], [0, 0, 0], [65535, 0, 1]]], np.uint16)
    rows = b"\0" + rgb.astype(">u2").tobytes()

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    png = chunk(b"IHDR", struct.pack(">IIBBBBB", 3, 1, 16, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows))
    (tmp_path / "kitti.png").write_bytes(b"\x89PNG\r\n\x1a\n" + png + chunk(b"IEND", b""))
    flow = read_flow(tmp_path / "kitti.png")
    assert flow[0, 0].tolist() == [1.0, -2.0]
    assert np.isnan(flow[0, 1]).all()
    assert flow[0, 2].tolist() == [float(Fraction(65535 - 32768, 64)), -512.0]


def test_numpy_reads_our_npz(tmp_path: Path) -> None:
    flow = random_flow((5, 6))
    write_flow(tmp_path / "flow.npz", flow, "npz")
    with np.load(tmp_path / "flow.npz") as archive:
        assert archive.files == ["flow"]
        assert np.array_equal(archive["flow"], flow)


@given(
    st.lists(
        st.tuples(st.floats(-700, 700, width=32), st.floats(-700, 700, width=32)), min_size=1, max_size=9
    )
)
def test_kitti_marks_what_does_not_fit(
    tmp_path_factory: pytest.TempPathFactory, vectors: list[tuple[float, float]]
) -> None:
    path = tmp_path_factory.mktemp("flow") / "flow.png"
    flow = np.array([vectors], np.float32)
    write_flow(path, flow, "png")
    back = read_flow(path)
    steps = np.rint(flow.astype(np.float64) * 64 + 32768)
    fits = ((steps >= 0) & (steps <= 65535)).all(axis=2)
    assert np.array_equal(np.isfinite(back).all(axis=2), fits)
    assert np.isnan(back[~fits]).all()
    assert np.abs(back - flow)[fits].max(initial=0) <= 1 / 128


@pytest.mark.parametrize("format", FLOW_FORMATS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_unknown_vectors_come_back_as_nan(tmp_path: Path, format: str, bad: float) -> None:
    flow = random_flow((4, 5))
    flow[1, 2, 1] = bad
    before = flow.copy()
    write_flow(tmp_path / f"flow.{format}", flow, format)
    back = read_flow(tmp_path / f"flow.{format}")
    assert np.isnan(back[1, 2]).all()
    assert np.isfinite(back).sum() == 2 * (4 * 5 - 1)
    assert np.array_equal(flow, before, equal_nan=True)


def test_unknown_in_flo_is_the_middlebury_number(tmp_path: Path) -> None:
    flow = np.full((1, 1, 2), np.nan, np.float32)
    write_flow(tmp_path / "flow.flo", flow, "flo")
    assert (cv2.readOpticalFlow(str(tmp_path / "flow.flo")) > 1e9).all()


def test_other_layouts_of_the_array_are_written_the_same(tmp_path: Path) -> None:
    flow = random_flow((6, 8))
    planar = np.ascontiguousarray(flow.transpose(2, 0, 1)).transpose(1, 2, 0)
    for format in FLOW_FORMATS:
        write_flow(tmp_path / f"a.{format}", flow, format)
        write_flow(tmp_path / f"b.{format}", planar, format)
        write_flow(tmp_path / f"c.{format}", flow.astype(np.float64), format)  # type: ignore[arg-type]
        for name in "bc":
            assert np.array_equal(
                read_flow(tmp_path / f"{name}.{format}"), read_flow(tmp_path / f"a.{format}")
            )


@pytest.mark.parametrize("format", FLOW_FORMATS)
def test_every_truncation_is_noticed(tmp_path: Path, format: str) -> None:
    path = tmp_path / f"flow.{format}"
    write_flow(path, random_flow((6, 8)), format)
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError) as caught:
            read_flow(path)
        assert str(path) in caught.value.message


@pytest.mark.parametrize("format", ["png", "npz"])
def test_flipped_bytes_are_noticed(tmp_path: Path, format: str) -> None:
    path = tmp_path / f"flow.{format}"
    write_flow(path, random_flow((6, 8)), format)
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 3] ^= 0x55
    path.write_bytes(whole)
    with pytest.raises(DataError):
        read_flow(path)


def npz(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def png(pixels: npt.NDArray[Any]) -> bytes:
    return bytes(cv2.imencode(".png", pixels)[1])


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.flo", b"", "PIEH"),
        ("a.flo", b"JUNK" + b"\0" * 20, "PIEH"),
        ("a.flo", b"PIEH" + struct.pack("<ii", -1, -1) + b"\0" * 8, "found"),
        ("a.flo", b"PIEH" + struct.pack("<ii", 1, 1) + b"\0" * 9, "expected 20 bytes for 1x1, found 21"),
        ("a.png", b"JUNK", "not a PNG"),
        ("a.png", png(np.zeros((4, 4, 3), np.uint8)), "found 8 bit with 3"),
        ("a.png", png(np.zeros((4, 4), np.uint16)), "found 16 bit with 1"),
        ("a.png", png(np.zeros((4, 4, 4), np.uint16)), "found 16 bit with 4"),
        ("a.npz", b"JUNK", "expected an .npz"),
        ("a.npz", npz(other=np.zeros((2, 2, 2))), "flow"),
        ("a.npz", npz(flow=np.zeros((2, 2))), "found float64"),
        ("a.npz", npz(flow=np.zeros((2, 2, 2), bool)), "found bool"),
        ("a.npz", npz(flow=np.array([[None, {}]])), "expected an .npz"),
        ("a.txt", b"", "not a flow file"),
    ],
)
def test_what_is_no_flow_is_refused(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=words) as caught:
        read_flow(tmp_path / name)
    assert str(tmp_path / name) in caught.value.message


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot read"):
        read_flow(tmp_path / "flow.flo")


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown flow format 'exr'"):
        write_flow(tmp_path / "flow.exr", random_flow((2, 2)), "exr")
    for shape in [(2, 2), (2, 2, 3), (0, 2, 2), (2, 2, 2, 2)]:
        with pytest.raises(DataError, match=r"\(H, W, 2\)"):
            write_flow(tmp_path / "flow.flo", np.zeros(shape, np.float32), "flo")
    assert list(tmp_path.iterdir()) == []


def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", full)
    for format in FLOW_FORMATS:
        with pytest.raises(DeviceError, match="disk full"):
            write_flow(tmp_path / "flow", random_flow((2, 2)), format)
    assert list(tmp_path.iterdir()) == []
