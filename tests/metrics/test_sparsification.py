"""Sparsification: perfect, useless and misleading confidences; ties; pooled counts equal the direct one."""

from __future__ import annotations

import numpy as np
import pytest

from vsodtool.errors import DataError
from vsodtool.metrics import SparsificationCounts, sparsification


def brute_force(errors: np.ndarray, confidence: np.ndarray, steps: int = 100) -> tuple[float, float]:
    """AUSE and area by removing pixels one after the other (no ties)."""
    n = errors.size

    def curve(order: np.ndarray) -> np.ndarray:
        rest = [errors[order[round(n * k / steps) :]].mean() for k in range(steps)]
        return np.array([*rest, 0.0])

    own, best = curve(np.argsort(confidence)), curve(np.argsort(-errors, kind="stable"))
    weights = np.full(steps + 1, 1 / steps)
    weights[[0, -1]] /= 2
    return float(((own - best) * weights).sum() / own[0]), float((own * weights).sum())


def test_equals_the_definition() -> None:
    rng = np.random.default_rng(0)
    errors = rng.random(1000) ** 4
    confidence = rng.permutation(1000) * 0.5 - 1000 * errors
    ause, area = brute_force(errors, confidence)
    result = sparsification(errors, confidence)
    assert result.ause == pytest.approx(ause, abs=1e-9)
    assert result.area == pytest.approx(area, abs=1e-9)
    assert result.curve[0] == pytest.approx(errors.mean())
    assert result.curve[-1] == result.oracle[-1] == 0
    assert (result.curve >= result.oracle - 1e-12).all()


def test_perfect_useless_and_misleading_confidence() -> None:
    errors = np.linspace(0, 1, 2000) ** 3
    assert sparsification(errors, -errors).ause == pytest.approx(0, abs=1e-9)
    useless = sparsification(errors, np.ones(2000))
    assert useless.curve[50] == pytest.approx(useless.curve[0])  # ties: the mean over all orders
    assert sparsification(errors, errors).ause > useless.ause > 0.4


def test_no_error_at_all_is_perfect() -> None:
    assert sparsification(np.zeros(5), np.arange(5.0)).ause == 0.0


def test_pooled_counts_equal_the_direct_measure() -> None:
    rng = np.random.default_rng(1)
    counts, all_wrong, all_confidence = SparsificationCounts(), [], []
    for _ in range(3):
        confidence = rng.integers(0, 256, (20, 30), dtype=np.uint8)
        wrong = rng.random((20, 30)) > confidence / 255
        counts.add(wrong, confidence)
        all_wrong.append(wrong)
        all_confidence.append(confidence)
    direct = sparsification(np.stack(all_wrong), np.stack(all_confidence))
    pooled = counts.result()
    assert pooled.ause == pytest.approx(direct.ause, abs=1e-12)
    assert np.allclose(pooled.curve, direct.curve)
    assert np.allclose(pooled.oracle, direct.oracle)


def test_refusals() -> None:
    with pytest.raises(DataError, match="one shape"):
        sparsification(np.zeros(3), np.zeros(4))
    with pytest.raises(DataError, match="NaN"):
        sparsification(np.array([np.nan, 1]), np.zeros(2))
    with pytest.raises(DataError, match="no pixels"):
        SparsificationCounts().result()
    with pytest.raises(DataError, match="float64"):
        SparsificationCounts().add(np.zeros((2, 2), bool), np.zeros((2, 2)))  # type: ignore[arg-type]
