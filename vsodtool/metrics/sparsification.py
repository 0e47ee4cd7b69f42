"""Sparsification: does removing what the method doubts remove its errors?

Ilg et al., "Uncertainty Estimates and Multi-Hypotheses Networks for Optical Flow", ECCV 2018, section 5.2.
Pixels are removed in order of rising confidence; the curve S(f) is the mean error of the pixels that remain
when the fraction f is gone. The oracle O(f) removes them in order of falling true error: no ordering does
better. Then

    area        = integral of S over f in [0, 1]
    oracle_area = integral of O
    ause        = integral of (S - O) / S(0), the area under the sparsification error

with S(1) = O(1) = 0, by the trapezoid rule on 100 steps. Division by S(0), the error with nothing removed,
makes videos of unequal error comparable: 0 is a perfect confidence, near 1 one that knows nothing, above that
one that misleads. Pixels of equal confidence leave together, in proportion: the expectation over all orders.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vsodtool.errors import DataError
from vsodtool.metrics.arguments import BoolArray, FloatArray

STEPS = 100
LEVELS = 256


@dataclass(frozen=True)
class Sparsification:
    """A sparsification curve beside its oracle.

    Attributes:
        fractions: (STEPS + 1,) fraction removed, 0 to 1.
        curve: (STEPS + 1,) mean error of the rest, least confident removed first.
        oracle: (STEPS + 1,) mean error of the rest, greatest error removed first.
        area: area under `curve`.
        oracle_area: area under `oracle`.
        ause: normalised area between the two; 0 where there is no error at all.
    """

    fractions: FloatArray
    curve: FloatArray
    oracle: FloatArray
    area: float
    oracle_area: float
    ause: float


def sparsification(errors: npt.NDArray[Any], confidence: npt.NDArray[Any]) -> Sparsification:
    """Sparsification of any set of pixels.

    Args:
        errors: error of each pixel, >= 0, any shape; bool means right or wrong.
        confidence: confidence of each pixel, same shape, any scale.

    Returns:
        The curve, its oracle and their areas.

    Raises:
        DataError: shapes differ, nothing to measure, or a value that is NaN or a negative error.
    """
    if errors.shape != confidence.shape or errors.size == 0:
        raise DataError(
            f"expected errors and confidence of one shape, found {errors.shape} and {confidence.shape}"
        )
    flat = errors.reshape(-1).astype(np.float64)
    if not (flat.min() >= 0 and np.isfinite(confidence).all()):
        raise DataError("expected finite confidences and errors >= 0, found NaN or negative values")
    _, level, counts = np.unique(confidence.reshape(-1), return_inverse=True, return_counts=True)
    sums = np.bincount(level, weights=flat, minlength=counts.size)
    worst_first = np.sort(flat)[::-1]
    return _measure(counts, sums, np.ones(flat.size), worst_first)


class SparsificationCounts:
    """Sparsification pooled over many frames in constant memory: 8-bit confidence, pixels right or wrong."""

    def __init__(self) -> None:
        self._pixels = np.zeros(LEVELS, np.int64)
        self._wrong = np.zeros(LEVELS, np.int64)

    def add(self, wrong: BoolArray, confidence: npt.NDArray[np.uint8]) -> None:
        """Count one frame.

        Args:
            wrong: bool (H, W), True where the label is wrong.
            confidence: uint8 (H, W).

        Raises:
            DataError: shapes or kinds differ from these.
        """
        if wrong.shape != confidence.shape or wrong.dtype != np.bool_ or confidence.dtype != np.uint8:
            raise DataError(
                f"expected bool errors and uint8 confidence of one shape, found {wrong.dtype} {wrong.shape} "
                f"and {confidence.dtype} {confidence.shape}"
            )
        self._pixels += np.bincount(confidence.reshape(-1), minlength=LEVELS)
        self._wrong += np.bincount(confidence[wrong], minlength=LEVELS)

    def result(self) -> Sparsification:
        """The curve over everything counted so far.

        Raises:
            DataError: nothing was counted.
        """
        if not self._pixels.any():
            raise DataError("no pixels were counted", "add at least one frame")
        wrong = int(self._wrong.sum())
        oracle_counts = np.array([wrong, int(self._pixels.sum()) - wrong])
        return _measure(self._pixels, self._wrong, oracle_counts, np.array([wrong, 0]))


def _measure(
    counts: npt.NDArray[Any],
    sums: npt.NDArray[Any],
    oracle_counts: npt.NDArray[Any],
    oracle_sums: npt.NDArray[Any],
) -> Sparsification:
    """From groups of pixels in order of removal (their number, their summed errors) to curves and areas."""
    fractions = np.linspace(0, 1, STEPS + 1)
    curve, oracle = _curve(counts, sums, fractions), _curve(oracle_counts, oracle_sums, fractions)
    area, oracle_area = _area(curve), _area(oracle)
    ause = 0.0 if curve[0] == 0 else (area - oracle_area) / float(curve[0])
    return Sparsification(fractions, curve, oracle, area, oracle_area, ause)


def _curve(counts: npt.NDArray[Any], sums: npt.NDArray[Any], fractions: FloatArray) -> FloatArray:
    """Mean error of what remains after each fraction."""
    gone = np.concatenate([[0.0], np.cumsum(counts, dtype=np.float64)])
    error_gone = np.concatenate([[0.0], np.cumsum(sums, dtype=np.float64)])
    total = gone[-1]
    left = error_gone[-1] - np.interp(fractions * total, gone, error_gone)
    curve = np.zeros_like(fractions)
    curve[:-1] = np.maximum(left[:-1], 0) / (total * (1 - fractions[:-1]))
    return curve


def _area(curve: FloatArray) -> float:
    """Trapezoid rule on [0, 1]."""
    return float((curve[1:] + curve[:-1]).sum() / (2 * STEPS))
