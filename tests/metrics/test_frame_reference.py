"""score_frame against `pysodmetrics`: every measure of every kind of frame, within 1e-9."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vsodtool.metrics import score_frame
from vsodtool.metrics.e_measure import EPS

Mask = npt.NDArray[np.bool_]
Reference = Callable[..., dict[str, npt.NDArray[np.float64]]]


def assert_equal(prediction: npt.NDArray[Any], truth: Mask, reference: Reference) -> None:
    expected = reference(prediction, truth)
    if truth.size == 1:  # where the reference divides E by 0 + EPS; vsodtool by 1
        expected |= {name: expected[name] * EPS for name in ("e_curve", "adaptive_e")}
    compare(score_frame(prediction, truth), expected)


def compare(scores: Any, expected: dict[str, npt.NDArray[np.float64]]) -> None:
    for name, value in expected.items():
        if name == "s_measure" and np.isnan(value):  # a block without pixels, see test_s_measure.py
            assert 0 <= scores.s_measure <= 1
            continue
        np.testing.assert_allclose(getattr(scores, name), value, rtol=0, atol=1e-9, err_msg=name)


def disk(height: int, width: int, row: float, column: float, radius: float) -> Mask:
    y, x = np.ogrid[:height, :width]
    return np.asarray((y - row) ** 2 + (x - column) ** 2 <= radius**2)


def blurred(mask: Mask, sigma: float) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.GaussianBlur(mask.astype(np.uint8) * 255, (0, 0), sigma), np.uint8)


def frames() -> Iterator[tuple[str, npt.NDArray[Any], Mask]]:
    rng = np.random.default_rng(5)
    truth = disk(61, 83, 25, 50, 14) | disk(61, 83, 50, 12, 6)
    soft = blurred(np.roll(truth, 4, axis=1), 3)
    noisy = np.clip(soft + rng.integers(0, 60, soft.shape), 0, 255).astype(np.uint8)
    empty = np.zeros_like(truth)
    yield "soft", soft, truth
    yield "noisy", noisy, truth
    yield "narrow range", (noisy // 8 + 90).astype(np.uint8), truth
    yield "binary", np.roll(truth, 3, axis=0).astype(np.uint8) * 255, truth
    yield "perfect", truth.astype(np.uint8) * 255, truth
    yield "inverse", (~truth).astype(np.uint8) * 255, truth
    yield "16 bits", noisy.astype(np.uint16) * 200 + rng.integers(0, 200, soft.shape).astype(np.uint16), truth
    yield "float", rng.random(soft.shape), truth
    for value in (0, 1, 77, 128, 255):
        constant = np.full(truth.shape, value, np.uint8)
        yield f"constant {value}", constant, truth
        yield f"constant {value}, empty truth", constant, empty
        yield f"constant {value}, full truth", constant, ~empty
    near_black = (rng.random(truth.shape) < 0.3).astype(np.uint8)
    yield "near black, empty truth", near_black, empty
    yield "near black", near_black, truth
    yield "empty truth", noisy, empty
    yield "full truth", noisy, ~empty
    yield "one object pixel", noisy, disk(61, 83, 30, 30, 0)
    yield "all but one pixel", noisy, ~disk(61, 83, 30, 30, 0)
    yield "object in the corner", noisy, disk(61, 83, 0, 0, 9)
    far = np.zeros((260, 9), np.uint8)
    far[-40:] = 200
    far[3] = 255
    yield "errors beyond the limit of the distance", far, disk(260, 9, 2, 4, 3)
    yield "one row", noisy[20:21], truth[20:21]
    yield "one column", noisy[:, 50:51], truth[:, 50:51]


@pytest.mark.parametrize(("prediction", "truth"), [pytest.param(p, t, id=n) for n, p, t in frames()])
def test_equals_the_reference(prediction: npt.NDArray[Any], truth: Mask, reference: Reference) -> None:
    assert_equal(prediction, truth, reference)


@pytest.mark.parametrize("value", [0, 1, 254, 255])
@pytest.mark.parametrize("is_object", [False, True])
def test_an_image_of_one_pixel(value: int, is_object: bool, reference: Reference) -> None:
    assert_equal(np.full((1, 1), value, np.uint8), np.full((1, 1), is_object), reference)


SIZES = st.tuples(st.integers(1, 20), st.integers(1, 20))
LEVELS = st.sampled_from(
    [st.integers(0, 255), st.integers(0, 2), st.sampled_from([0, 51, 102, 255]), st.sampled_from([10, 200])]
)


@given(
    SIZES.flatmap(
        lambda size: st.tuples(
            LEVELS.flatmap(lambda level: hnp.arrays(np.uint8, size, elements=level)),
            hnp.arrays(
                bool, size, elements=st.booleans() if size[0] % 2 else st.integers(0, 7).map(lambda n: not n)
            ),
        )
    )
)
@settings(max_examples=150, deadline=None)
def test_equals_the_reference_on_any_small_frame(
    reference: Reference, pair: tuple[npt.NDArray[np.uint8], Mask]
) -> None:
    assert_equal(*pair, reference)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=80, deadline=None)
def test_equals_the_reference_on_random_blobs_of_odd_sizes(reference: Reference, seed: int) -> None:
    rng = np.random.default_rng(seed)
    height, width = (int(n) for n in rng.integers(2, 70, 2))
    dots = rng.random((height, width)) < rng.choice([0.001, 0.02, 0.3])
    truth = blurred(dots, 1.5) > rng.integers(0, 20)
    noise = rng.integers(0, rng.choice([2, 40, 256]), truth.shape)
    prediction = np.clip(blurred(truth, rng.uniform(0.5, 4)) + noise, 0, 255).astype(np.uint8)
    assert_equal(prediction, truth, reference)


@pytest.mark.parametrize("bits", [8, 16])
def test_without_the_stretch_it_equals_the_reference_on_given_floats(bits: int, reference: Reference) -> None:
    rng = np.random.default_rng(bits)
    top = 2**bits - 1
    prediction = rng.integers(top // 9, top // 2, (37, 45)).astype(f"uint{bits}")
    truth = disk(37, 45, 12, 20, 8)
    expected = reference(prediction / top, truth, stretch=False)
    compare(score_frame(prediction, truth, normalize="none"), expected)
    compare(score_frame(prediction / top, truth, normalize="none"), expected)
    near_black = np.full((37, 45), 1, np.uint8)
    near_black[3, 4] = 2
    scores = score_frame(near_black, np.zeros((37, 45), bool), normalize="none")
    compare(scores, reference(near_black / 255, np.zeros((37, 45), bool), stretch=False))
    assert scores.mae < 0.005


def test_equals_the_reference_on_real_saliency_maps(shared: Path, reference: Reference) -> None:
    maps = sorted((shared / "reference" / "sod-dss").rglob("*.png"))
    truths = {path.stem: path for path in (shared / "data" / "sod" / "masks").rglob("*.png")}
    assert len(maps) == 300
    for path in maps[::20]:
        prediction = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        truth = cv2.imread(str(truths[path.stem]), cv2.IMREAD_GRAYSCALE)
        if prediction.shape == truth.shape:
            assert_equal(prediction, truth > 128, reference)
