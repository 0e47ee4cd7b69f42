"""Which masks are looked at, and what is said of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsodtool.config import PseudoLabelConfig
from vsodtool.errors import DataError
from vsodtool.media.masks.encoding import detect_encoding
from vsodtool.media.masks.reading import read_raw_mask
from vsodtool.media.masks.sparse import MaskSet
from vsodtool.media.masks.statistics import summarise
from vsodtool.ops.contour_fit import SHIFTS, Fit
from vsodtool.pipelines.densify.mask_fit import LEAST, MOST, choose_masks, judge_video, measure_fit
from vsodtool.types import Frame, LabelArray


@given(st.sets(st.integers(0, 2000), min_size=1, max_size=200), st.integers(0, 500))
def test_a_few_masks_of_the_beginning_are_chosen(labelled: set[int], more: int) -> None:
    labels = sorted(labelled)
    frames = labels[-1] + 1 + more
    chosen = choose_masks(labels, frames)
    assert chosen == sorted(set(chosen))
    assert set(chosen) <= labelled
    assert min(LEAST, len(labels)) <= len(chosen) <= MOST
    assert chosen[0] == labels[0]
    assert all(index < max(100, frames / 4) for index in chosen[LEAST:])


def test_only_frames_around_the_masks_are_asked_for() -> None:
    asked: set[int] = set()

    def select(indices: Collection[int]) -> Iterator[Frame]:
        asked.update(indices)
        return (
            Frame(index, str(index), np.zeros((80, 80, 3), np.uint8))
            for index in sorted(indices)
            if index >= 0
        )

    def disc(index: int) -> LabelArray:
        rows, columns = np.ogrid[:80, :80]
        inside = (rows - 40) ** 2 + (columns - 40) ** 2 < 400
        return (inside & (index != 50)).astype(np.uint16)

    assert measure_fit(select, [1, 50, 20], disc).shift == 0
    assert asked == {at + shift for at in (1, 20) for shift in SHIFTS}


def test_masks_that_say_nothing_read_no_frames() -> None:
    def select(indices: Collection[int]) -> Iterator[Frame]:
        raise AssertionError(indices)

    assert measure_fit(select, [0, 5], lambda _: np.zeros((80, 80), np.uint16)) == Fit()


@pytest.fixture
def masks(tmp_path: Path) -> MaskSet:
    file = tmp_path / "00004.png"
    assert cv2.imwrite(str(file), np.eye(2, dtype=np.uint8) * 255)
    encoding, ids = detect_encoding([summarise(file, read_raw_mask(file))], "auto")
    return MaskSet("clip", [], {"00004": file}, encoding, ids, (2, 2), 9)


def config(offset: int = 0, *, allow: bool = False) -> PseudoLabelConfig:
    return PseudoLabelConfig(
        inputs=("clip.mp4",), masks=("m",), output=Path("out"), frame_offset=offset, allow_misfit=allow
    )


@pytest.mark.parametrize(
    ("shift", "offset", "told", "hint"),
    [
        (-1, 0, "1 frame earlier", "say --frame-offset -1 (ffmpeg numbers stills from 1"),
        (1, -1, "1 frame later", "leave out --frame-offset"),
        (2, 0, "2 frames later", "say --frame-offset 2, or"),
        (-3, 1, "3 frames or more earlier", "say --frame-offset -2, or"),
    ],
)
def test_a_better_shift_is_refused_with_the_right_number(
    masks: MaskSet, shift: int, offset: int, told: str, hint: str
) -> None:
    with pytest.raises(DataError) as caught:
        judge_video(masks, Fit(shift, 0.2), config(offset))
    assert told in caught.value.message
    assert "00004.png is frame 00004" in caught.value.message
    assert caught.value.hint.startswith(hint)
    assert "--allow-misfit" in caught.value.hint
    (line,) = judge_video(masks, Fit(shift, 0.2), config(offset, allow=True))
    assert told in line


def test_masks_that_fit_nowhere_are_warned_of(masks: MaskSet) -> None:
    (line,) = judge_video(masks, Fit(misplaced=True), config())
    assert "no better than other places" in line
    assert judge_video(masks, Fit(), config()) == []


def test_masks_that_are_black_on_white_are_warned_of(masks: MaskSet) -> None:
    def select(indices: Collection[int]) -> Iterator[Frame]:
        raise AssertionError(indices)

    fit = measure_fit(select, [0, 5], lambda _: np.ones((80, 80), np.uint16))
    assert fit == Fit(inverted=True)
    (line,) = judge_video(masks, fit, config())
    assert "black on white" in line
