"""Frames of a file, kept once decoded: the same ones, and decoded no more than once."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from vsodtool.errors import DeviceError
from vsodtool.media.spill import FrameSpill
from vsodtool.media.video.inputs import Loss, VideoInput
from vsodtool.media.video.kept_frames import KeptFrames
from vsodtool.types import Frame, ImageArray, Size

BYTES = 4 * 5 * 3


class Counted:
    """Ten frames, of which some do not decode; counts what is decoded."""

    def __init__(self, lost: Collection[int] = ()) -> None:
        self.video = VideoInput("v", Path("v.mp4"), "file", ())
        self.names = [str(index) for index in range(10)]
        self.size: Size = (4, 5)
        self.fps, self.is_cut = 24.0, False
        self.times: list[Fraction] = []
        self.pixel_aspect = Fraction(1)
        self.notes: list[str] = []
        self.losses: list[Loss] = []
        self.decoded: list[int] = []
        self._lost = lost

    def rgb(self, index: int) -> ImageArray:
        return np.full((4, 5, 3), index, np.uint8)

    def __iter__(self) -> Iterator[Frame]:
        return self.select(range(10))

    def select(self, indices: Collection[int]) -> Iterator[Frame]:
        self.losses = []
        for index in range(max(indices) + 1):
            self.decoded.append(index)
            if index in self._lost:
                self.losses.append(Loss(str(index), "does not decode"))
            elif index in indices:
                yield Frame(index, str(index), self.rgb(index))


def indices(frames: Iterator[Frame]) -> list[int]:
    found = list(frames)
    assert all(int(frame.rgb[0, 0, 0]) == frame.index for frame in found)
    assert all(frame.name == str(frame.index) for frame in found)
    return [frame.index for frame in found]


def test_what_was_decoded_once_is_not_decoded_again(tmp_path: Path) -> None:
    source = Counted()
    kept = KeptFrames(source, tmp_path)
    assert indices(kept.select({2, 5})) == [2, 5]
    assert source.decoded == [0, 1, 2, 3, 4, 5]
    assert indices(kept.select([5, 0, 3])) == [0, 3, 5]
    assert indices(kept.select([])) == []
    assert source.decoded == [0, 1, 2, 3, 4, 5]
    assert indices(iter(kept)) == list(range(10))
    assert source.decoded[6:] == list(range(10))
    assert indices(iter(kept)) == list(range(10))
    assert len(source.decoded) == 16
    kept.close()
    assert not list(tmp_path.iterdir())


def test_losses_are_told_each_time_and_not_looked_for_again(tmp_path: Path) -> None:
    source = Counted(lost={3, 9})
    kept = KeptFrames(source, tmp_path)
    for _ in range(2):
        assert indices(iter(kept)) == [0, 1, 2, 4, 5, 6, 7, 8]
        assert [loss.frame_name for loss in kept.losses] == ["3", "9"]
    assert indices(kept.select({2, 3, 4})) == [2, 4]
    assert [loss.frame_name for loss in kept.losses] == ["3"]
    assert len(source.decoded) == 10


def test_what_was_not_asked_for_longest_makes_room(tmp_path: Path) -> None:
    source = Counted()
    kept = KeptFrames(source, tmp_path, most=4 * BYTES)
    assert indices(kept.select({7})) == [7]
    assert len(list(tmp_path.rglob("*.raw"))) == 4
    assert indices(kept.select({4, 5, 6, 7})) == [4, 5, 6, 7]
    assert len(source.decoded) == 8
    assert indices(kept.select({3, 4})) == [3, 4]
    assert len(source.decoded) == 13


def test_a_full_disk_only_costs_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put = FrameSpill.put

    def full(spill: FrameSpill, index: int, rgb: ImageArray) -> None:
        if index > 2:
            raise DeviceError("no space left", "free some")
        put(spill, index, rgb)

    monkeypatch.setattr(FrameSpill, "put", full)
    source = Counted()
    kept = KeptFrames(source, tmp_path)
    assert indices(kept.select({1, 6})) == [1, 6]
    assert indices(kept.select({1, 6})) == [1, 6]
    assert len(source.decoded) == 14
    kept.close()
