"""Mean, recall and decay of a video: against the definition of the DAVIS tools written out in floats."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsodtool.errors import DataError
from vsodtool.metrics import SequenceStatistics, mean_statistics, sequence_statistics


def davis(values: list[float]) -> tuple[float, float, float]:
    """The statistics as the DAVIS tools define them, with frame numbers of any size."""
    series = np.array(values)
    borders = np.round(np.linspace(1, len(series), 5) + 1e-10).astype(int) - 1
    quarters = [series[borders[i] : borders[i + 1] + 1] for i in range(4)]
    return series.mean(), (series > 0.5).mean(), quarters[0].mean() - quarters[3].mean()


@pytest.mark.parametrize("frames", [*range(1, 40), 255, 256, 257, 258, 300, 511, 512, 1000, 3001])
def test_equals_the_davis_definition(frames: int) -> None:
    values = np.random.default_rng(frames).random(frames).tolist()
    found = sequence_statistics(values)
    assert (found.mean, found.recall, found.decay) == pytest.approx(davis(values), abs=1e-12)


@given(st.integers(1, 5000))
def test_the_quarters_are_those_of_davis_for_any_length(frames: int) -> None:
    ramp = np.arange(frames) / frames
    assert sequence_statistics(ramp).decay == pytest.approx(davis(ramp.tolist())[2], abs=1e-12)


def test_decay_of_more_than_256_frames_is_that_of_all_frames() -> None:
    """1 in the first half of 600 frames, 0 in the second; an 8-bit index would find less."""
    values = np.repeat([1.0, 0.0], 300)
    assert sequence_statistics(values) == SequenceStatistics(mean=0.5, recall=0.5, decay=1.0)


def test_recall_asks_for_more_than_half() -> None:
    assert sequence_statistics([0.5, 0.5, 0.51, 0.2]).recall == 0.25


def test_one_frame_does_not_decay() -> None:
    assert sequence_statistics([0.7]) == SequenceStatistics(mean=0.7, recall=1.0, decay=0.0)


def test_videos_weigh_the_same() -> None:
    videos = [SequenceStatistics(0.2, 0.0, 0.1), SequenceStatistics(0.8, 1.0, -0.3)]
    found = mean_statistics(videos)
    assert (found.mean, found.recall, found.decay) == pytest.approx((0.5, 0.5, -0.1))


@pytest.mark.parametrize("values", [[], [[0.1, 0.2]], [0.1, float("nan")], [float("inf")]])
def test_refuses_what_is_no_series(values: list[float]) -> None:
    with pytest.raises(DataError, match="finite values"):
        sequence_statistics(values)


def test_refuses_the_mean_of_nothing() -> None:
    with pytest.raises(DataError, match="at least one video"):
        mean_statistics([])
