"""The nouns of training data."""

from __future__ import annotations

from collections.abc import Callable

from vsodtool.data.sources.labelled import LabelledVideo


def test_given_frames_are_those_that_a_person_labelled(nowhere: Callable[..., LabelledVideo]) -> None:
    video = nowhere([0, 4], pseudo=[1, 2, 3])
    assert [frame.position for frame in video.frames] == [0, 1, 2, 3, 4]
    assert [frame.position for frame in video.given] == [0, 4]
    assert not video.stills
