"""Masks that are written and read again are the same masks, whatever their shape."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.media.annotations.clips import Clip
from tests.media.annotations.conftest import annotations_of
from vsodtool.media.annotations.mapping import MatchRule, match_annotations
from vsodtool.media.annotations.model import ReadOptions
from vsodtool.media.annotations.objects import ObjectRule, identify
from vsodtool.media.annotations.reading import read_annotations
from vsodtool.media.annotations.runs import MaskArray
from vsodtool.media.annotations.table import FORMATS, Format

WRITTEN = [entry for entry in FORMATS if entry.lossless and (entry.write or entry.write_files)]


def written(entry: Format, masks: list[dict[int, MaskArray]], folder: Path, *, polygons: bool) -> Path:
    annotations = annotations_of(masks)
    if entry.write_files is not None:
        for name, text in entry.write_files(annotations):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, "utf-8")
        return folder
    write = entry.write_polygons if polygons else entry.write
    assert write is not None
    path = folder / ("file.xml" if entry.name == "cvat" else "file.json")
    path.write_text("".join(write(annotations)), "utf-8")
    return path


def come_back(
    entry: Format, masks: list[dict[int, MaskArray]], folder: Path, *, polygons: bool = False
) -> None:
    size = next(mask.shape for frame in masks for mask in frame.values())
    target = Clip(len(masks), (size[0], size[1]), is_file=False)
    options = ReadOptions(predictions=True)  # what is written for Label Studio is looked through there first
    annotations = read_annotations(written(entry, masks, folder, polygons=polygons), options=options)
    found = match_annotations(annotations, [target], MatchRule(empty="given")).videos["clip"].frames
    objects = identify({"clip": list(found.values())}, annotations.categories, ObjectRule())["clip"]
    ids = {info.name: info.id for info in objects.infos}
    for name, drawn in zip(target.names, masks, strict=True):
        label = objects.paint(found[name], target.size) if name in found else np.zeros(size, np.uint16)
        for number, mask in drawn.items():
            if mask.any():
                np.testing.assert_array_equal(label == ids[f"thing {number}"], mask)
        assert np.array_equal(label > 0, np.any(list(drawn.values()), axis=0))


@st.composite
def scenes(draw: st.DrawFn) -> list[dict[int, MaskArray]]:
    """One to three frames with two objects that do not overlap: noise, blocks, rings, single pixels."""
    height, width = draw(st.integers(1, 17)), draw(st.integers(1, 17))
    share = draw(st.sampled_from([0.05, 0.3, 0.7]))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    frames = []
    for _ in range(draw(st.integers(1, 3))):
        ids = random.integers(1, 3, (height, width)) * (random.random((height, width)) < share)
        if draw(st.booleans()):  # larger pieces that touch the border and have holes
            ids = np.repeat(np.repeat(ids, 2, 0), 2, 1)[:height, :width]
        frames.append({number: ids == number for number in (1, 2)})
    return frames


@pytest.mark.parametrize("entry", WRITTEN, ids=lambda entry: entry.name)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(masks=scenes())
def test_lossless_formats_give_masks_back(
    tmp_path_factory: pytest.TempPathFactory, entry: Format, masks: list[dict[int, MaskArray]]
) -> None:
    if any(mask.any() for frame in masks for mask in frame.values()):
        come_back(entry, masks, tmp_path_factory.mktemp("written"))


@pytest.mark.parametrize("name", ["coco", "cvat"])
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(masks=scenes())
def test_polygons_along_pixel_edges_give_masks_back(
    tmp_path_factory: pytest.TempPathFactory, name: str, masks: list[dict[int, MaskArray]]
) -> None:
    entry = next(entry for entry in FORMATS if entry.name == name)
    if any(mask.any() for frame in masks for mask in frame.values()):
        come_back(entry, masks, tmp_path_factory.mktemp("written"), polygons=True)


@pytest.mark.parametrize("entry", WRITTEN, ids=lambda entry: entry.name)
def test_three_hundred_objects_come_back(tmp_path: Path, entry: Format) -> None:
    ids = np.arange(1, 301).reshape(15, 20)
    come_back(entry, [{number: ids == number for number in range(1, 301)}], tmp_path)
