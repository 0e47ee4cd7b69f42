"""Objects of several files: what has one name is one object."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vsodtool.media.annotations.model import FrameKey, FrameLabels, Shape
from vsodtool.media.annotations.objects import ObjectRule, VideoObjects, identify, join_objects


def shape(category: str, column: int, track: str | None = None) -> Shape:
    mask = np.zeros((1, 8), bool)
    mask[0, column] = True
    return Shape(category, lambda _: mask, "made", track=track)


def objects(*shapes: Shape) -> tuple[VideoObjects, FrameLabels]:
    frame = FrameLabels(FrameKey("0", 0, (1, 8)), shapes)
    return identify({"clip": [frame]}, [], ObjectRule())["clip"], frame


def ids(several: Sequence[VideoObjects]) -> list[dict[str, int]]:
    return [{info.name: info.id for info in each.infos} for each in several]


def test_one_name_is_one_object() -> None:
    first, _ = objects(shape("dog", 0), shape("ball", 1))
    second, frame = objects(shape("ball", 2), shape("cat", 3))
    assert ids([first, second]) == [{"dog": 1, "ball": 2}, {"ball": 1, "cat": 2}]
    joined = join_objects([first, second])
    assert ids(joined) == [{"dog": 1, "ball": 2, "cat": 3}] * 2
    assert joined[1].paint(frame, (1, 8)).tolist() == [[0, 0, 2, 3, 0, 0, 0, 0]]


def test_ids_that_are_free_stay() -> None:
    first, _ = objects(shape("dog", 0, "7"))
    second, frame = objects(shape("ball", 1, "3"), shape("cat", 2, "7"))
    joined = join_objects([first, second])
    assert ids(joined)[1] == {"dog": 7, "ball": 3, "cat": 1}
    assert joined[1].paint(frame, (1, 8)).tolist() == [[0, 3, 1, 0, 0, 0, 0, 0]]


def test_a_file_alone_is_as_it_was() -> None:
    alone, frame = objects(shape("dog", 0, "7"), shape("ball", 1, "3"))
    (joined,) = join_objects([alone])
    assert joined.infos == alone.infos
    assert joined.paint(frame, (1, 8)).tolist() == alone.paint(frame, (1, 8)).tolist()
