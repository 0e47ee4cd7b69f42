"""Means of log-odds in closed form; only the last test depends on what was tuned."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.native.compiled import compiled
from vsodtool.ops.labels import temporal_smoothing
from vsodtool.ops.labels.temporal_smoothing import (
    Neighbour,
    agreement,
    between,
    expected_between,
    from_bounded_odds,
    from_log_odds,
    log_odds,
    smooth_over_time,
)


def flat(*values: float) -> Tensor:
    """(1, len(values), 4, 5)."""
    return torch.tensor(values).view(1, -1, 1, 1).expand(1, -1, 4, 5).contiguous()


@pytest.mark.parametrize("shares", [(0.5,), (0.1,), (0.9,), (0.2, 0.3), (0.6, 0.3), (0.1, 0.1, 0.7)])
def test_there_and_back(shares: tuple[float, ...]) -> None:
    labels = flat(*shares)
    torch.testing.assert_close(from_log_odds(log_odds(labels)), labels)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_certain_labels_stay_finite_and_on_their_side(share: float) -> None:
    found = from_log_odds(log_odds(flat(share)))
    assert bool(((found > 0.5) == (share > 0.5)).all())
    assert float((found - share).abs().max()) < 0.01


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_what_is_certain_comes_out_certain(share: float) -> None:
    labels = torch.full((1, 1, 2, 2), share)
    torch.testing.assert_close(from_bounded_odds(log_odds(labels)), labels, rtol=0, atol=1e-6)


def test_the_order_of_objects_and_background_stays() -> None:
    odds = torch.rand(1, 3, 50, 50, generator=torch.Generator().manual_seed(0)) * 4 - 2
    before, after = (
        torch.cat((1 - labels.sum(1, keepdim=True), labels), dim=1)
        for labels in (from_log_odds(odds), from_bounded_odds(odds))
    )
    assert torch.equal(before.argmax(1), after.argmax(1))
    assert after.min() >= -1e-6


def test_alone_a_frame_stays_as_it_is() -> None:
    odds = torch.randn(1, 2, 4, 5)
    assert torch.equal(smooth_over_time(odds, torch.rand(1, 3, 4, 5), []), odds)


def test_neighbours_that_agree_change_nothing() -> None:
    image = torch.rand(1, 3, 4, 5)
    near = [Neighbour(flat(1.5), image.clone(), distance) for distance in (1, 2, 2)]
    torch.testing.assert_close(smooth_over_time(flat(1.5), image, near), flat(1.5))


def test_neighbours_that_look_alike_outvote_a_frame() -> None:
    image = torch.rand(1, 3, 4, 5)
    near = [Neighbour(flat(3.0), image.clone(), 1) for _ in range(2)]
    assert bool((smooth_over_time(flat(-1.0), image, near) > 0).all())


def test_a_neighbour_that_looks_different_is_not_heard() -> None:
    black, white = torch.zeros(1, 3, 4, 5), torch.ones(1, 3, 4, 5)
    found = smooth_over_time(flat(-1.0), black, [Neighbour(flat(5.0), white, 1)])
    torch.testing.assert_close(found, flat(-1.0))


def test_a_nearer_neighbour_weighs_more() -> None:
    image = torch.rand(1, 3, 4, 5)
    near, far = (
        smooth_over_time(flat(0.0), image, [Neighbour(flat(1.0), image.clone(), distance)])
        for distance in (1, 2)
    )
    assert bool((near > far).all())
    assert bool((far > 0).all())


def test_between_two_frames_is_the_mean_of_what_is_alike_and_trusted() -> None:
    image, odds = flat(0.2, 0.4, 0.6), flat(2.0)
    like, unlike = Neighbour(odds, image, 1), Neighbour(-odds, image + 0.2, 1)
    surely, hardly = flat(1.0), flat(0.25)
    labels, trust = between(image, [like, unlike], [surely, surely])
    torch.testing.assert_close(labels, from_bounded_odds(odds * (1.01 - 0.01) / 1.02), atol=1e-4, rtol=0)
    torch.testing.assert_close(trust, surely)
    labels, trust = between(image, [like, replace(unlike, image=image)], [surely, hardly])
    torch.testing.assert_close(
        labels, from_bounded_odds(odds * 0.6), atol=1e-4, rtol=0
    )  # (1 - 1/4) / (1 + 1/4)
    torch.testing.assert_close(trust, flat(0.85))  # (1 + 1/16) / (1 + 1/4)


def test_agreement_is_the_j_of_each_object() -> None:
    first, second = torch.full((1, 2, 4, 4), -99.0), torch.full((1, 2, 4, 4), -99.0)
    first[:, 0, :2], second[:, 0, :, :] = 99, 99
    first[:, 1], second[:, 1] = 99, 99
    assert agreement(first, second).tolist() == [0.5, 1]


def test_what_neighbours_disagree_about_is_expected_to_be_worse() -> None:
    assert expected_between(0.9, 0.7, 0.85) == pytest.approx(0.7)
    assert expected_between(0.9, 0.7, 0.3) < 0.6 < expected_between(0.9, 0.7, 0.6) < 0.7
    assert expected_between(1.0, 1.0, 1.0) == 1
    assert expected_between(1.0, 1.0, 0.0) == 0


@settings(deadline=None, max_examples=40)
@given(st.tuples(st.integers(1, 12), st.integers(1, 40)), st.integers(0, 2**31))
def test_the_compiled_loops_find_the_same_to_the_last_bit(size: tuple[int, int], seed: int) -> None:
    compiled()
    random = torch.Generator().manual_seed(seed)
    image = torch.rand(1, 3, *size, generator=random)
    there = torch.rand(1, 5, size[0] + 2, size[1] + 3, generator=random)[..., 1:-1, 2:-1]
    near = Neighbour(there[:, :1], there[:, 1:4] * 0.1 + 0.9 * image, 1)
    found = smooth_over_time(there[:, 4:], image, [near])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(temporal_smoothing, "library", lambda: None)
        assert torch.equal(found, smooth_over_time(there[:, 4:], image, [near]))
