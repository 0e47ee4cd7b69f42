"""VIA's regions: which attribute is the class, shapes, projects."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vsodtool.errors import DataError
from vsodtool.media.annotations.model import ReadOptions
from vsodtool.media.annotations.reading import read_annotations

SIZE = (8, 10)
Save = Callable[..., Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def write(*regions: dict[str, Any], project: bool = False, old: bool = False) -> Path:
        listed: Any = {str(n): region for n, region in enumerate(regions)} if old else list(regions)
        images = {"a.jpg123": {"filename": "a.jpg", "size": 123, "regions": listed}}
        content: Any = {"_via_settings": {}, "_via_img_metadata": images} if project else images
        (tmp_path / "via.json").write_text(json.dumps(content), "utf-8")
        return tmp_path / "via.json"

    return write


def region(attributes: dict[str, Any] | None = None, name: str = "polygon", **values: Any) -> dict[str, Any]:
    known = {"all_points_x": [2, 4, 4, 2], "all_points_y": [1, 1, 3, 3]} if name == "polygon" else {}
    return {"shape_attributes": {"name": name, **known, **values}, "region_attributes": attributes or {}}


def categories(path: Path) -> list[str]:
    return [category.name for category in read_annotations(path).categories]


@pytest.mark.parametrize("project", [False, True])
@pytest.mark.parametrize("old", [False, True])
def test_files_and_projects_of_both_ages(save: Save, *, project: bool, old: bool) -> None:
    found = read_annotations(save(region({"kind": "dog"}), project=project, old=old))
    (frame,) = found.videos[0].frames
    assert (frame.key.name, frame.shapes[0].category) == ("a.jpg", "dog")
    assert np.argwhere(frame.shapes[0].draw(SIZE)).tolist() == [[1, 2], [1, 3], [2, 2], [2, 3]]


def test_the_attribute_that_all_regions_have_is_the_class(save: Save) -> None:
    assert categories(save(region({"x": "dog", "y": "1"}), region({"x": "cat"}))) == ["dog", "cat"]
    assert categories(save(region({"age": "3", "type": "dog"}))) == ["dog"]  # of several, what is called so
    assert categories(save(region({"age": "3", "hue": "2"}))) == ["object"]
    assert categories(save(region({"x": "dog"}), region({}))) == ["object"]
    assert categories(save(region({"x": "dog"}), region({"x": ""}))) == ["object"]


def test_shapes(save: Save) -> None:
    circle = region(name="circle", cx=5, cy=4, r=2)
    ellipse = region(name="ellipse", cx=5, cy=4, rx=2, ry=2)
    rect = region(name="rect", x=2, y=1, width=2, height=2)
    path = save(circle, ellipse, rect, region(name="polyline"), region(name="point", cx=1, cy=1))
    found = read_annotations(path)
    assert found.left_out == {"box": 1, "polyline": 1, "point": 1}
    round_ones = [shape.draw(SIZE) for shape in found.videos[0].frames[0].shapes]
    np.testing.assert_array_equal(*round_ones)
    assert abs(np.count_nonzero(round_ones[0]) - np.pi * 4) < 2.5
    drawn = read_annotations(path, options=ReadOptions(boxes=True)).videos[0].frames[0].shapes[2].draw(SIZE)
    assert np.count_nonzero(drawn) == 4


def test_what_cannot_be_read_is_refused(save: Save) -> None:
    path = save(region({"x": "dog"}), region({"x": "dog"}, all_points_y=[1, 2]))
    with pytest.raises(
        DataError, match=r"regions\[1\].*all_points_y: expected 4 numbers, as many as all_points_x"
    ):
        read_annotations(path)
    assert read_annotations(path, options=ReadOptions(skip_bad=True)).left_out["unreadable"] == 1
