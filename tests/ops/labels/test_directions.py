from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from vsodtool.ops.confidence import owners
from vsodtool.ops.labels.directions import ABSENT, CERTAIN, Direction, combine

SIZE = (12, 20)


def logits(seed: int, objects: int = 2, size: tuple[int, int] = (8, 8)) -> torch.Tensor:
    return 12 * torch.randn(objects, 1, *size, generator=torch.Generator().manual_seed(seed))


def sure(objects: int = 2) -> torch.Tensor:
    return torch.full((objects, 1), 50.0)


@given(seed=st.integers(0, 1000), objects=st.integers(1, 3))
def test_of_one_direction_the_winners_are_those_of_sam2(seed: int, objects: int) -> None:
    """Sam2ImageProcessor.post_process_masks: bilinear, above 0; of several the largest logit."""
    raw = logits(seed, objects)
    labels, _ = combine([Direction(raw, sure(objects), 3)], SIZE)
    resized = functional.interpolate(raw, SIZE, mode="bilinear", align_corners=False)[:, 0]
    expected = torch.where(resized.amax(0) > 0, resized.argmax(0) + 1, 0)
    assert torch.equal(owners(labels)[0, 0].long(), expected)


def bent(raw: torch.Tensor) -> torch.Tensor:
    return CERTAIN * torch.tanh(raw / CERTAIN)


def test_one_object_is_its_sigmoid() -> None:
    raw = logits(1, 1, SIZE)
    labels, trust = combine([Direction(raw, torch.zeros(1, 1), 1)], SIZE)
    torch.testing.assert_close(labels, bent(raw).sigmoid())
    # There with probability 1/2; background needs no object that is there.
    winner = torch.where(raw > 0, labels * 0.5, 1 - labels)
    torch.testing.assert_close(trust, winner)


@given(near=st.integers(1, 9), far=st.integers(1, 9))
def test_each_direction_counts_by_one_over_its_distance(near: int, far: int) -> None:
    """Of constant logits a and b the mean is (a / p + b / q) / (1 / p + 1 / q)."""
    a, b = 3.0, -1.0
    directions = [
        Direction(torch.full((1, 1, 2, 2), a), sure(1), near),
        Direction(torch.full((1, 1, 5, 5), b), sure(1), far),
    ]
    labels, _ = combine(directions, SIZE)
    ends = bent(torch.tensor([a, b])).tolist()
    mean = (ends[0] / near + ends[1] / far) / (1 / near + 1 / far)
    torch.testing.assert_close(labels, torch.full((1, 1, *SIZE), mean).sigmoid())


def test_trust_is_where_both_agree_and_the_object_is_there() -> None:
    yes, no = torch.full((1, 1, 1, 1), 50.0), torch.full((1, 1, 1, 1), ABSENT)
    agreed = combine([Direction(yes, sure(1), 2), Direction(yes, sure(1), 2)], SIZE)[1]
    split = combine([Direction(yes, sure(1), 1), Direction(no, -sure(1), 3)], SIZE)[1]
    unsure = combine([Direction(yes, torch.zeros(1, 1), 2), Direction(yes, sure(1), 2)], SIZE)[1]
    assert agreed.min() > 0.9999
    torch.testing.assert_close(split, torch.full_like(split, 0.75), atol=1e-4, rtol=0)
    torch.testing.assert_close(unsure, torch.full_like(unsure, 0.75), atol=1e-4, rtol=0)


def test_what_is_surer_than_sure_does_not_outvote() -> None:
    """SAM 2 gives an object that is not there -1024."""
    away, here = torch.full((1, 1, 1, 1), ABSENT), torch.full((1, 1, 1, 1), 25.0)
    labels, _ = combine([Direction(away, -sure(1), 5), Direction(here, sure(1), 4)], SIZE)
    assert labels.min() > 0.5


@pytest.mark.parametrize("count", [1, 2])
def test_nothing_is_changed(count: int) -> None:
    given_ = [Direction(logits(number), sure(), number + 1) for number in range(count)]
    before = [each.logits.clone() for each in given_]
    combine(given_, SIZE)
    assert all(torch.equal(each.logits, old) for each, old in zip(given_, before, strict=True))
