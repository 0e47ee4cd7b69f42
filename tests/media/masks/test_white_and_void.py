"""Grey masks in which the largest value is an object in some files, and void or missing in others."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from tests.media.masks.mask_files import Masks, blobs, palette_png, png, ring
from vsodtool.media.masks.encoding import detect_encoding
from vsodtool.media.masks.reading import read_raw_mask
from vsodtool.media.masks.statistics import summarise

Plane = npt.NDArray[np.generic]
GREYS = bytes(value for value in range(256) for _ in range(3))


def disc(x: int = 60, radius: int = 30) -> npt.NDArray[np.float32]:
    """An ellipse of ones, 120 x 160."""
    shape = np.zeros((120, 160), np.float32)
    return np.asarray(cv2.ellipse(shape, (x, 60), (radius, radius - 8), 20, 0, 360, 1, -1), np.float32)


def soft(top: int, sigma: float, x: int = 60, dtype: type = np.uint8, radius: int = 30) -> Plane:
    """The ellipse with blurred edges around a solid inside."""
    return np.round(cv2.GaussianBlur(disc(x, radius), (0, 0), sigma) * top).astype(dtype)


def supersampled(top: int) -> Plane:
    large = np.zeros((480, 640), np.float32)
    cv2.rectangle(large, (102, 101), (405, 333), 1, -1)
    return np.round(cv2.resize(large, (160, 120), interpolation=cv2.INTER_AREA) * top).astype(np.uint8)


def hard(value: int, x: int = 60, dtype: type = np.uint8) -> Plane:
    return (disc(x) * value).astype(dtype)


def read(tmp_path: Path, masks: Iterable[Plane]) -> Masks:
    return Masks(tmp_path, [png(mask) for mask in masks])


@pytest.mark.parametrize("value", [2, 128, 200])
@pytest.mark.parametrize("form", ["grey", "ramp"])
def test_one_mask_of_another_value_does_not_void_the_rest(tmp_path: Path, value: int, form: str) -> None:
    planes = [*(hard(255, 40 + step) for step in range(9)), hard(value)]
    store = png if form == "grey" else (lambda plane: palette_png(plane, GREYS))
    masks = Masks(tmp_path, [store(plane) for plane in planes])
    assert masks.ids == (1,)
    assert masks.encoding.meaning.void is None
    for index, plane in enumerate(planes):
        assert np.array_equal(masks.labels(index), plane > 0)
    assert masks.encoding.warnings == [
        f"masks of nothing but {value} (9.png) beside masks of nothing but 255 are read as one object; "
        "if the values are ids, say --void none"
    ]
    found = [summarise(path, read_raw_mask(path)) for path in (tmp_path / f"{n}.png" for n in range(10))]
    assert detect_encoding(found, "none")[1] == (value, 255)
    assert detect_encoding(found, "255")[1] == (value,)


@pytest.mark.parametrize("values", [(255, 254), (65535, 65280)])
def test_white_but_for_rounding_is_white(tmp_path: Path, values: tuple[int, int]) -> None:
    full, less = values
    kind = np.uint8 if full == 255 else np.uint16
    nearly = hard(less, dtype=kind)
    nearly[60, 60] = full
    for last in (hard(less, dtype=kind), nearly):
        masks = read(tmp_path, [*(hard(full, 40 + step, kind) for step in range(5)), last])
        assert masks.ids == (1,)
        assert not masks.encoding.warnings
        assert np.array_equal(masks.labels(5), disc() > 0)


def test_a_stray_blot_is_no_reason_to_void_thin_objects(tmp_path: Path) -> None:
    poles = []
    for step in range(6):
        pole = np.zeros((120, 160), np.uint8)
        pole[50:54, 20 + step : 120 + step] = 255
        poles.append(pole)
    blot = np.zeros((120, 160), np.uint8)
    blot[5:10, 5:10] = 2
    masks = read(tmp_path, [*poles, blot])
    assert np.array_equal(masks.labels(0), poles[0] > 0)
    blot[50:54, 20:120] = 255
    masks = read(tmp_path, [*poles, blot])
    assert masks.ids == (2, 255), "in one of seven masks only it lies beside another value"


def test_an_area_beside_white_in_one_of_many_masks(tmp_path: Path) -> None:
    both = hard(255)
    both[:, :60][both[:, :60] > 0] = 100
    masks = read(tmp_path, [*(hard(255, 40 + step) for step in range(60)), both])
    assert (masks.ids, masks.encoding.meaning.void) == ((100, 255), None)
    assert np.array_equal(masks.labels(60), both)
    assert np.array_equal(masks.labels(0), hard(255, 40))


@pytest.mark.parametrize("top", [200, 240, 253, 254])
@pytest.mark.parametrize("form", ["grey", "ramp"])
def test_soft_masks_with_a_solid_inside_that_is_not_white(tmp_path: Path, top: int, form: str) -> None:
    planes = [soft(top, 1.2), soft(top, 1.2, 90), np.zeros((120, 160), np.uint8)]
    store = png if form == "grey" else (lambda plane: palette_png(plane, GREYS))
    masks = Masks(tmp_path, [store(plane) for plane in planes])
    assert masks.ids == (1,)
    for index, plane in enumerate(planes):
        assert np.array_equal(masks.labels(index), plane > top // 2)


@pytest.mark.parametrize("top", [240, 254])
def test_a_few_greys_along_the_edges_of_nearly_white(tmp_path: Path, top: int) -> None:
    for plane in (soft(top, 0.5), supersampled(top)):
        assert 3 <= len(np.unique(plane)) <= 33
        masks = read(tmp_path, [plane])
        assert masks.ids == (1,)
        assert np.array_equal(masks.labels(), plane > top // 2)


@pytest.mark.parametrize("top", [255, 4095, 65280, 65534])
def test_soft_masks_of_sixteen_bit_that_are_not_white(tmp_path: Path, top: int) -> None:
    plane = soft(top, 0.8, dtype=np.uint16, radius=55)
    masks = read(tmp_path, [plane])
    assert (masks.encoding.kind, masks.ids) == ("binary65535", (1,))
    assert np.array_equal(masks.labels(), plane > top // 2)


def test_a_soft_mask_that_is_not_white_among_hard_ones(tmp_path: Path) -> None:
    masks = read(tmp_path, [*(hard(255, 40 + step) for step in range(9)), soft(254, 1.2)])
    assert masks.ids == (1,)
    assert np.array_equal(masks.labels(9), soft(254, 1.2) > 127)


def squares(*values: int, dtype: type = np.uint8) -> Plane:
    """A block of 12 x 12 for each value, in rows without gaps."""
    mask = np.zeros((120, 160), dtype)
    for place, value in enumerate(values):
        top, left = 12 * (place // 12), 12 * (place % 12)
        mask[top : top + 12, left : left + 12] = value
    return mask


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("full", [False, True])
def test_many_ids_that_touch_stay_ids(tmp_path: Path, dtype: type, full: bool) -> None:
    ids = tuple(range(160, 250)) if dtype is np.uint8 else tuple(range(65400, 65500))
    if full:
        ids = (*ids[:-1], 255 if dtype is np.uint8 else 65535)
    masks = read(tmp_path, [squares(*ids[:50], dtype=dtype), squares(*ids[50:], dtype=dtype)])
    assert masks.ids == ids


def test_many_ids_one_by_one_stay_ids_where_two_of_them_overlap(tmp_path: Path) -> None:
    planes = [hard(value, 40 + value // 4) for value in range(150, 195)]
    planes[0][60, 40:70] = 149  # a sliver of another
    masks = read(tmp_path, planes)
    assert masks.ids == tuple(range(149, 195))


@pytest.mark.parametrize(
    "values", [(85, 170, 255), (63, 126, 189, 252), (50, 100, 150, 200, 250), (127, 254)]
)
def test_evenly_spread_ids_stay_ids(tmp_path: Path, values: tuple[int, ...]) -> None:
    planes = [squares(*values), squares(*values[::-1]), squares(values[0])]
    thin = np.zeros((120, 160), np.uint8)
    thin[100:103, 10:150] = values[-1]  # a stick far from the others
    planes.append(np.maximum(thin, squares(values[0])))
    for chosen in (planes, planes[2:]):
        masks = read(tmp_path, chosen)
        assert masks.ids == (values if chosen is planes else (values[0], values[-1]))
        assert masks.encoding.meaning.void is None
        assert np.array_equal(masks.labels(len(chosen) - 1), planes[-1])


@pytest.mark.parametrize("ids", [(1, 2), (7, 20), (38, 75), (120, 181)])
@pytest.mark.parametrize("width", [1, 2, 5])
def test_lines_around_ids_stay_void(tmp_path: Path, ids: tuple[int, int], width: int) -> None:
    planes = [
        ring(blobs(0, ids[0], 0, ids[1]), width, 255),
        ring(blobs(0, 0, ids[0]), width, 255),
        blobs(ids[0]),
    ]
    masks = read(tmp_path, planes)
    assert (masks.ids, masks.encoding.meaning.void) == (ids, 255)


def test_a_stray_pixel_of_white_is_no_object(tmp_path: Path) -> None:
    plane = hard(200)
    plane[3, 3] = 255
    assert read(tmp_path, [plane, hard(200, 70)]).ids == (200,)
