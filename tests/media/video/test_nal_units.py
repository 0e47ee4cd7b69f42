"""Heads of the units of H.264 and H.265."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from vsodtool.media.video.nal_units import NalUnits


def write(path: Path, codec: str, options: dict[str, str]) -> Path:
    noise = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for index in range(8):
            picture = np.roll(noise, index, axis=1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])  # lengths before the units, or start codes
@pytest.mark.parametrize(
    ("codec", "options", "key", "slices"),
    [
        ("libx264", {"bf": "1", "b_strategy": "0", "b-pyramid": "none"}, 5, range(1, 6)),
        ("libx265", {"x265-params": "bframes=1:b-adapt=0:b-pyramid=0:log-level=none"}, 20, range(32)),
    ],
)
def test_what_refers_to_nothing(
    tmp_path: Path, *, suffix: str, codec: str, options: dict[str, str], key: int, slices: range
) -> None:
    try:
        path = write(tmp_path / f"a.{suffix}", codec, options)
    except (av.FFmpegError, ValueError) as error:
        pytest.skip(f"this build of FFmpeg has no {codec}: {error}")
    with av.open(str(path)) as container:
        units = NalUnits(container.streams.video[0])
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    kinds = [next(kind for kind in units.kinds(data) if kind in slices) for data in packets]
    assert kinds[0] == key or (codec == "libx265" and kinds[0] in range(16, 24))
    # Stored: 0, 2, 1, 4, 3, 6, 5, 7
    found = [units.is_unreferenced(data) for data in packets]
    assert found[:7] == [False, False, True, False, True, False, True]


def test_damaged_heads_leave_it_in_doubt(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", "libx264", {"bf": "1", "b_strategy": "0", "b-pyramid": "none"})
    with av.open(str(path)) as container:
        units = NalUnits(container.streams.video[0])
        data = bytes([packet for packet in container.demux(video=0) if packet.size][2])
    assert units.is_unreferenced(data)
    assert not units.is_unreferenced(data[:4] + b"\xff" * (len(data) - 4))
    assert not units.is_unreferenced(b"\xff" * len(data))
    assert not units.is_unreferenced(b"")


def test_other_codecs_have_none(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mkv", "mpeg4", {})
    with av.open(str(path)) as container:
        units = NalUnits(container.streams.video[0])
        data = bytes(next(container.demux(video=0)))
    assert list(units.kinds(data)) == []
    assert not units.is_unreferenced(data)
