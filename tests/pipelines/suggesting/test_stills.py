"""Stills: where, how many of each video, and the sharpest around each place."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from vsodtool.config import SuggestConfig
from vsodtool.errors import UsageError
from vsodtool.media.video.frames import FrameSource, open_frames
from vsodtool.media.video.inputs import discover_videos
from vsodtool.pipelines.suggesting import stills
from vsodtool.pipelines.suggesting.stills import Place, motion, take


def write_frames(folder: Path, count: int, blurred: set[int] = frozenset(), shift: int = 0) -> FrameSource:  # type: ignore[assignment]
    folder.mkdir(parents=True)
    texture = np.random.default_rng(7).integers(0, 256, (64, 96 + shift * count, 3)).astype(np.uint8)
    texture = cv2.GaussianBlur(texture, (0, 0), 1.5)
    for index in range(count):
        frame = texture[:, shift * index : shift * index + 96]
        if index in blurred:
            frame = cv2.GaussianBlur(frame, (0, 0), 4)
        assert cv2.imwrite(str(folder / f"f{index:03d}.png"), frame)
    return opened(folder)


def opened(folder: Path) -> FrameSource:
    return open_frames(discover_videos([str(folder)])[0])


def config(**options: Any) -> SuggestConfig:
    return SuggestConfig(inputs=("x",), **options)


def places(
    sources: Sequence[FrameSource], config: SuggestConfig, cuts: Sequence[int] = ()
) -> list[list[Place]]:
    def shots(source: FrameSource) -> list[range]:
        return [range(*ends) for ends in pairwise([0, *cuts, len(source.names)])]

    return stills.places(sources, config, shots)


def indices(found: list[list[Place]]) -> list[list[int]]:
    return [[place.index for place in own] for own in found]


def test_one_video_is_spread_over(tmp_path: Path) -> None:
    source = write_frames(tmp_path / "clip", 31)
    ((first, *_, last),) = places([source], config(number=3))
    assert (first.index, first.near, last.index) == (4, 2, 26)
    assert first.reason == "evenly spaced, the sharpest of 5"


def test_windows_never_touch(tmp_path: Path) -> None:
    source = write_frames(tmp_path / "clip", 13)
    for number in range(1, 16):
        (own,) = places([source], config(number=number))
        assert len(own) == min(number, 13)
        seen = [index for place in own for index in place.window if index < 13]
        assert len(seen) == len(set(seen))


def test_every_and_listed_frames_are_exact(tmp_path: Path) -> None:
    source = write_frames(tmp_path / "clip", 31)
    assert indices(places([source], config(every=10))) == [[3, 13, 23]]
    assert indices(places([source], config(frames="12,f002,12"))) == [[2, 12]]
    assert all(place.near == 0 for place in places([source], config(every=10))[0])


@pytest.mark.parametrize("word", ["31", "f31", "clip/x", "-1", "other/3"])
def test_a_frame_that_is_not_there_is_refused(tmp_path: Path, word: str) -> None:
    source = write_frames(tmp_path / "clip", 31)
    with pytest.raises(UsageError, match="--frames: expected"):
        places([source], config(frames=word))


def test_listed_frames_of_several_videos_name_theirs(tmp_path: Path) -> None:
    sources = [write_frames(tmp_path / "a", 5), write_frames(tmp_path / "b", 5)]
    assert indices(places(sources, config(frames="b/4,a/1,b/0"))) == [[1], [0, 4]]
    with pytest.raises(UsageError, match="expected video/frame, as there are 2 videos, found '3'"):
        places(sources, config(frames="3"))


def test_what_moves_more_gets_more(tmp_path: Path) -> None:
    still, moving = write_frames(tmp_path / "a", 21), write_frames(tmp_path / "b", 21, shift=4)
    assert motion(still) == pytest.approx(0, abs=1e-4)
    # A pixel of a quarter of the size per frame, by the diagonal of 24 x 16.
    assert motion(moving) == pytest.approx(1 / np.hypot(24, 16), rel=0.25)
    counts = [len(own) for own in places([still, moving], config(number=6))]
    assert sum(counts) == 6
    assert counts[0] == 1


def test_the_sharpest_around_a_place_is_taken(tmp_path: Path) -> None:
    source = write_frames(tmp_path / "clip", 20, blurred={3, 4, 6, 7, 12, 13, 14, 15, 16})
    found = [(place.index, frame.index) for place, frame in take(source, [Place(5, 2, ""), Place(14, 2, "")])]
    assert found[0] == (5, 5)
    assert found[1][0] == 14
    source = write_frames(tmp_path / "other", 20, blurred={3, 4, 5, 6})
    assert [frame.index for _, frame in take(source, [Place(5, 2, "")])] == [7]


def test_what_does_not_decode_is_passed_over(tmp_path: Path) -> None:
    write_frames(tmp_path / "clip", 20)
    for index in (5, 10, 11, 12, 13, 14):
        (tmp_path / "clip" / f"f{index:03d}.png").write_bytes(b"broken")
    source = opened(tmp_path / "clip")
    found = [frame.index for _, frame in take(source, [Place(5, 1, ""), Place(12, 2, ""), Place(18, 0, "")])]
    assert found[0] in (4, 6)
    assert found[1:] == [18]
    assert len(source.losses) == 6


def test_nothing_wanted_is_nothing_read(tmp_path: Path) -> None:
    assert list(take(write_frames(tmp_path / "clip", 3), [])) == []


def test_every_shot_gets_its_own(tmp_path: Path) -> None:
    source = write_frames(tmp_path / "clip", 31)
    assert indices(places([source], config(number=3), [5, 25])) == [[2, 14, 27]]
    assert indices(places([source], config(number=2), [5, 25])) == [[14, 27]]  # the longest ones
    assert indices(places([source], config(every=12), [6])) == [[4, 10, 22]]
    (own,) = places([source], config(number=9), [5, 8, 25])
    seen = [index for place in own for index in place.window]
    assert len(seen) == len(set(seen))
    assert max(seen) <= 30
