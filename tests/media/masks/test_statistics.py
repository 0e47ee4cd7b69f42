"""What is counted of masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.media.masks.mask_files import DAVIS, RED, blobs, drawn, palette_png, png, smooth
from vsodtool.errors import DataError
from vsodtool.media.masks.plane_png import Palette, encode_plane_png
from vsodtool.media.masks.reading import read_raw_mask
from vsodtool.media.masks.statistics import (
    ColourStatistics,
    MaskSummary,
    PlaneStatistics,
    merge_palettes,
    summarise,
    total,
)


def summary(path: Path, data: bytes) -> MaskSummary:
    path.write_bytes(data)
    return summarise(path, read_raw_mask(path))


def test_areas_of_values_between_are_told_from_borders() -> None:
    ids = PlaneStatistics.of(blobs(1, 2), 255)
    assert (ids.values, ids.between, ids.weakest_top) == ([1, 2], 600, 2)
    assert ids.alone_share == 1, "an area sees its own value and nothing"
    edges = PlaneStatistics.of(smooth(), 255)
    assert edges.between > 0
    assert edges.alone_share < 0.1
    assert edges.thick_top > 0
    assert PlaneStatistics.of(blobs(255), 255).between == 0


def test_statistics_add_up() -> None:
    found = total([PlaneStatistics.of(blobs(*values), 255) for values in ((3,), (), (1, 3))])
    assert found.counts == {0: 3 * 4800 - 900, 1: 300, 3: 600}
    assert (found.weakest_top, total([]).weakest_top) == (3, 0), "an empty mask has no top"


def test_colours_are_counted_where_they_stand_alone(tmp_path: Path) -> None:
    raw = summary(tmp_path / "0.png", png(drawn(RED)))
    assert raw.drawn is not None
    assert (raw.drawn.size, raw.drawn.drawn) == (4800, 300)
    assert raw.drawn.counts == raw.drawn.alone == {128 << 32: 300}
    raw.drawn.add(ColourStatistics(10, 2, {128 << 32: 1, 5: 1}))
    assert (raw.drawn.size, raw.drawn.counts) == (4810, {128 << 32: 301, 5: 1})


def test_the_top_is_that_of_the_depth_or_of_the_mask(tmp_path: Path) -> None:
    found = summary(tmp_path / "0.png", png(smooth(100)))
    assert (found.full, found.empty, found.relative.weakest_top) == (255, False, found.absolute.weakest_top)
    assert found.absolute.thick_top == 0, "nothing reaches 255"
    assert found.relative.thick_top > 0
    assert summary(tmp_path / "1.png", png(blobs())).empty


def test_palettes_become_one(tmp_path: Path) -> None:
    short = summary(tmp_path / "0.png", encode_plane_png(blobs(1), Palette(DAVIS[:6])))
    long = summary(tmp_path / "1.png", palette_png(blobs(2)))
    assert merge_palettes([short, long]).colours[:9] == DAVIS[:9]
    other = bytes(6) + b"\7\7\7"
    strange = summary(tmp_path / "2.png", encode_plane_png(blobs(2), Palette(other)))
    with pytest.raises(DataError, match=r"2\.png: expected for id 2 the colour #008000 .* found #070707"):
        merge_palettes([long, strange])


def test_without_neighbours_values_are_counted_only() -> None:
    found = PlaneStatistics.of(np.where(smooth() > 99, smooth(), 0).astype(np.uint8), 255, neighbours=False)
    assert len(found.values) > 1
    assert (found.between, found.flat) == (0, 0)
