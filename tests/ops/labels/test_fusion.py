"""Properties of the fusion that hold whatever its constants."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vsodtool.ops.labels.fusion import Fused, fuse, weigh

Maps = tuple[torch.Tensor, torch.Tensor, torch.Tensor]  # labels, consistency, error of one hypothesis


def flat(*labels: float, consistency: float = 1.0, error: float = 0.0) -> Maps:
    channels = torch.tensor(labels).view(1, -1, 1, 1).expand(1, len(labels), 2, 3)
    one = torch.ones(1, 1, 2, 3)
    return channels, one * consistency, one * error


def fuse_all(*hypotheses: Maps) -> Fused:
    labels, consistency, error = (torch.cat(maps) for maps in zip(*hypotheses, strict=True))
    return fuse(labels, consistency, error)


def fused(*hypotheses: Maps) -> list[float]:
    labels = fuse_all(*hypotheses).labels
    assert labels.shape[-2:] == (2, 3)
    assert torch.equal(labels, labels[..., :1, :1].expand_as(labels))
    return [float(value) for value in labels[0, :, 0, 0]]


unit = st.floats(0, 1, width=32)
objects = st.tuples(unit, unit).filter(lambda pair: sum(pair) <= 1)
hypotheses = st.lists(st.tuples(objects, unit, unit), min_size=1, max_size=4)


@settings(deadline=None)
@given(hypotheses)
def test_the_result_is_a_mean_of_the_hypotheses(
    parts: list[tuple[tuple[float, float], float, float]],
) -> None:
    given_ = [flat(*labels, consistency=trust, error=error) for labels, trust, error in parts]
    result = fuse_all(*given_)
    for channel in range(2):
        values = [labels[channel] for labels, _, _ in parts]
        found = result.labels[0, channel]
        assert float(found.min()) >= min(values) - 1e-5
        assert float(found.max()) <= max(values) + 1e-5
    assert float(result.labels.sum(dim=1).max()) <= 1 + 1e-5
    assert 0 <= float(result.support.min()) <= float(result.support.max()) <= 1 + 1e-6
    assert bool(torch.isfinite(result.labels).all())


def test_equal_weights_give_the_plain_mean() -> None:
    assert fused(flat(1.0), flat(0.0)) == pytest.approx([0.5])
    assert fused(flat(0.2, 0.8), flat(0.4, 0.0)) == pytest.approx([0.3, 0.4])


def test_unanimous_hypotheses_are_kept_whatever_their_weight() -> None:
    assert fused(flat(0.7, consistency=0.1, error=0.4), flat(0.7, error=0.01)) == pytest.approx([0.7])


def test_the_more_consistent_and_the_more_alike_wins() -> None:
    assert fused(flat(1.0, consistency=0.9), flat(0.0, consistency=0.2))[0] > 0.5
    assert fused(flat(1.0, error=0.01), flat(0.0, error=0.05))[0] > 0.5


@settings(deadline=None)
@given(unit, unit, unit, unit)
def test_weights_grow_with_consistency_and_likeness(a: float, b: float, c: float, d: float) -> None:
    low, high = sorted((a, b))
    small, large = sorted((c, d))
    weak = float(weigh(*flat(1.0, consistency=low, error=large)[1:]).min())
    strong = float(weigh(*flat(1.0, consistency=high, error=small)[1:]).min())
    assert 0 < weak <= strong


def test_full_support_is_one_and_nothing_alike_is_none() -> None:
    assert float(fuse_all(flat(1.0)).support.max()) == pytest.approx(1)
    assert float(fuse_all(flat(1.0, error=1.0)).support.max()) < 1e-3
