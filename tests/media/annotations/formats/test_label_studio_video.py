"""Polygons on video: key frames label frames, lines between carry the others along, clocks must agree."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.media.annotations.clips import Clip
from vsodtool.errors import DataError
from vsodtool.media.annotations.mapping import MatchRule, match_annotations
from vsodtool.media.annotations.model import Annotations, ReadOptions
from vsodtool.media.annotations.objects import ObjectRule, identify
from vsodtool.media.annotations.reading import read_annotations

SIZE = (10, 20)


def key(frame: int, left: float, enabled: bool = True, **more: Any) -> dict[str, Any]:
    """A square of 10 x 50 percent, 2 x 5 pixels, at `left` percent."""
    corners = [(left, 20), (left + 10, 20), (left + 10, 70), (left, 70)]
    vertices = [{"id": f"v{n}", "x": x, "y": y} for n, (x, y) in enumerate(corners)]
    return {"frame": frame, "enabled": enabled, "closed": True, "vertices": vertices, **more}


def region(name: str, *keys: dict[str, Any], **more: Any) -> dict[str, Any]:
    value = {"framesCount": 9, "sequence": list(keys), "videovectorlabels": [name], **more}
    return {"id": f"id-{name}", "type": "videovectorlabels", "from_name": "v", "value": value}


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    def write(*results: dict[str, Any]) -> Path:
        task = {
            "id": 1,
            "data": {"video": "/data/upload/3/a1b2c3d4-clip.mp4"},
            "annotations": [{"id": 1, "was_cancelled": False, "result": list(results)}],
        }
        path = tmp_path / "export.json"
        path.write_text(json.dumps([task]), "utf-8")
        return path

    return write


def drawn(annotations: Annotations, clip: Clip | None = None) -> dict[int, dict[str, int]]:
    """Frame -> name of an object -> the first column of its pixels."""
    matched = match_annotations(annotations, [clip or Clip(9, SIZE)], MatchRule()).videos["clip"].frames
    objects = identify({"clip": list(matched.values())}, annotations.categories, ObjectRule())["clip"]
    found: dict[int, dict[str, int]] = {}
    for name, frame in matched.items():
        labels = objects.paint(frame, SIZE)
        found[int(name)] = {
            info.name: int(np.flatnonzero((labels == info.id).any(0))[0])
            for info in objects.infos
            if (labels == info.id).any()
        }
        for info in objects.infos:
            assert np.count_nonzero(labels == info.id) in (0, 10)
    return found


def test_key_frames_are_labelled_and_lines_lead_from_one_to_the_next(save: Callable[..., Path]) -> None:
    path = save(region("dog", key(1, 0), key(5, 40)), region("cat", key(3, 80), key(7, 80, enabled=False)))
    annotations = read_annotations(path)
    # Frames are counted from 1; the dog is half way in frame 3, where the cat has a key frame.
    assert drawn(annotations) == {0: {"dog": 0}, 2: {"dog": 4, "cat": 16}, 4: {"dog": 8, "cat": 16}}
    assert annotations.videos[0].length == 9


def test_interpolated_shapes_can_be_left_out(save: Callable[..., Path]) -> None:
    path = save(region("dog", key(1, 0), key(5, 40)), region("cat", key(3, 80)))
    annotations = read_annotations(path, options=ReadOptions(interpolated=False))
    assert drawn(annotations) == {0: {"dog": 0}, 2: {"cat": 16}, 4: {"dog": 8}}
    assert annotations.left_out["interpolated"] == 2


def test_another_number_of_frames_is_another_clock(save: Callable[..., Path]) -> None:
    annotations = read_annotations(save(region("dog", key(1, 0))))
    with pytest.raises(DataError, match="expected labels of 11 frames like clip, found 9 frames"):
        drawn(annotations, Clip(11, SIZE))
    with pytest.raises(DataError, match="expected framesCount") as caught:
        read_annotations(save(region("dog", key(1, 0), framesCount=None)))
    assert "export" in caught.value.hint
    with pytest.raises(DataError, match="one number of frames"):
        read_annotations(save(region("dog", key(1, 0)), region("cat", key(1, 0), framesCount=8)))


def test_lines_and_boxes_are_no_areas(save: Callable[..., Path]) -> None:
    box = {
        "id": "b",
        "type": "videorectangle",
        "value": {"framesCount": 9, "sequence": [], "labels": ["dog"]},
    }
    path = save(region("dog", key(1, 0)), region("road", key(1, 0, closed=False)), box)
    annotations = read_annotations(path)
    assert drawn(annotations) == {0: {"dog": 0}}
    assert annotations.left_out == {"open line": 1, "box": 1}


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        (key(1, 0, vertices=[{"id": "a", "x": 1, "y": 1}]), "a polygon of at least 3 points"),
        (key(1, 0, vertices=[{"x": "1", "y": 1}] * 3), "expected a finite number"),
        (key(0, 0), "a whole number from 1"),
    ],
)
def test_broken_key_frames_are_refused_or_left_out(
    save: Callable[..., Path], broken: dict[str, Any], expected: str
) -> None:
    path = save(region("dog", key(1, 0)), region("cat", broken))
    with pytest.raises(DataError, match=expected) as caught:
        read_annotations(path)
    assert "result[1].value.sequence[0]" in caught.value.message
    annotations = read_annotations(path, options=ReadOptions(skip_bad=True))
    assert annotations.left_out["unreadable"] == 1
    assert drawn(annotations) == {0: {"dog": 0}}
