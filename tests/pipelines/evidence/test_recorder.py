"""A method that writes down what it is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.pipelines.evidence.test_videos import PAN, Film, recorded, video
from vsodtool.ops.labels.evidence_maps import GUESS, IMAGE, LEFT, MAPS


@pytest.fixture
def clip(film: Film, tmp_path: Path) -> Any:
    made = film(PAN, size=(64, 64), objects={1: (72, 75, 30, 25)})
    made.write_folder(tmp_path / "data" / "JPEGImages" / "clip")
    made.write_folder(tmp_path / "data" / "JPEGImages" / "other")
    return made


def test_what_is_recorded_is_what_the_densifier_knows(tmp_path: Path, clip: Any, exact: Any) -> None:
    """The camera moves by whole pixels and the flow is exact: warped labels are the hidden labels."""
    files = recorded(tmp_path, video(tmp_path, clip, tuple(range(7))), 3, exact)
    assert [file.name for file in files] == [f"0000{at} (every 3th)" for at in (1, 2, 4, 5)]
    assert [file.distances for file in files] == [(1, 2), (2, 1), (1, 2), (2, 1)]
    for file, index in zip(files, (1, 2, 4, 5), strict=True):
        maps, hidden = np.load(file.maps), np.load(file.hidden)
        assert maps.shape[0] == MAPS
        top, left = file.origin
        area = (slice(top, top + maps.shape[1]), slice(left, left + maps.shape[2]))
        np.testing.assert_array_equal(maps[:IMAGE], clip.frames[index][area].transpose(2, 0, 1))
        np.testing.assert_array_equal(hidden[:3], clip.frames[index].transpose(2, 0, 1))
        np.testing.assert_array_equal(hidden[3] > 0, clip.truth[index] > 0)
        assert not np.array_equal(np.load(file.before), np.load(file.after))
        for channel in (LEFT.start, LEFT.start + 4, GUESS):
            assert np.mean((maps[channel] > 127) != (clip.truth[index][area] > 0)) < 0.02
