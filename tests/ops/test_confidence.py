"""Owners, margins and expected J in closed form; nothing here depends on the tuned constants."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vsodtool.ops.confidence import (
    backing,
    frame_confidence,
    margin,
    object_confidences,
    owner_probabilities,
    owners,
    to_bytes,
    trust,
    without,
)


def soft(*channels: list[float]) -> torch.Tensor:
    return torch.tensor(channels).view(1, len(channels), 1, -1)


def test_probabilities_sum_to_one_with_the_background_first() -> None:
    labels = soft([0.2, 0.6, 0.0], [0.3, 0.4, 0.0])
    found = owner_probabilities(labels)
    torch.testing.assert_close(found[0, 0, 0], torch.tensor([0.5, 0.0, 1.0]))
    torch.testing.assert_close(found.sum(dim=1), torch.ones(1, 1, 3))


def test_every_pixel_has_one_owner() -> None:
    labels = soft([0.1, 0.6, 0.3, 0.45], [0.2, 0.3, 0.4, 0.15])
    assert owners(labels)[0, 0, 0].tolist() == [0, 1, 2, 1]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 5), st.integers(0, 2**31))
def test_the_owner_is_the_first_of_the_most_probable(objects: int, seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 3, (1, objects, 6, 7), generator=random) / 4  # with many equals
    expected = torch.cat((1 - labels.sum(dim=1, keepdim=True), labels), dim=1).numpy().argmax(axis=1)
    found = owners(labels)
    assert found.dtype is torch.int16
    np.testing.assert_array_equal(found[:, 0].numpy(), expected)


def test_one_object_owns_what_is_more_than_half_its() -> None:
    assert owners(soft([0.49, 0.51, 0.0, 1.0]))[0, 0, 0].tolist() == [0, 1, 0, 1]


def test_without_an_object_the_others_have_its_share_by_theirs() -> None:
    labels = soft([0.6, 0.6, 1.0, 0.6], [0.3, 0.0, 0.0, 0.3])
    where = torch.tensor([[True, True, True, False]])
    found = without(labels, 0, where)
    torch.testing.assert_close(found, soft([0, 0, 0, 0.6], [0.75, 0, 0, 0.3]), atol=3e-3, rtol=0)
    assert float(labels[0, 0, 0, 0]) == pytest.approx(0.6)


def test_a_coin_s_throw_is_no_confidence_and_full_agreement_is_full() -> None:
    labels = soft([0.5, 0.0, 1.0])
    found = margin(labels) * trust(torch.ones(1, 1, 1, 3))
    torch.testing.assert_close(found[0, 0, 0], torch.tensor([0.0, 1.0, 1.0]))


@settings(deadline=None)
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_confidence_grows_with_support_and_stays_in_range(label: float, a: float, b: float) -> None:
    low, high = sorted((a, b))
    less, more = (
        float(margin(soft([label])) * trust(torch.full((1, 1, 1, 1), value))) for value in (low, high)
    )
    assert 0 <= less <= more <= 1


def test_a_second_opinion_backs_the_winner_of_the_first() -> None:
    labels = soft([0.9, 0.2, 0.1], [0.0, 0.1, 0.8])  # object 1, background, object 2
    guess = soft([0.6, 0.3, 0.7], [0.1, 0.0, 0.2])
    torch.testing.assert_close(backing(labels, guess)[0, 0, 0], torch.tensor([0.6, 0.7, 0.2]))


def test_a_sure_frame_is_one() -> None:
    labels = soft([1.0, 1.0, 0.0, 0.0])
    assert frame_confidence(labels, torch.ones(1, 1, 1, 4)) == 1


def test_an_empty_frame_without_doubt_is_one() -> None:
    assert frame_confidence(torch.zeros(1, 2, 3, 3), torch.ones(1, 1, 3, 3)) == 1


def test_more_doubt_lowers_the_frame() -> None:
    labels = soft([0.9, 0.8, 0.3, 0.0])
    values = [
        frame_confidence(labels, torch.tensor([sure, sure, sure, 1.0]).view(1, 1, 1, 4))
        for sure in (1.0, 0.7, 0.3)
    ]
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == 3
    assert all(0 <= value <= 1 for value in values)


@settings(deadline=None)
@given(st.integers(0, 2**31))
def test_any_frame_is_in_range(seed: int) -> None:
    random = np.random.default_rng(seed)
    labels = torch.from_numpy(random.random((1, 2, 4, 5)).astype(np.float32)) / 2
    confidence = torch.from_numpy(random.random((1, 1, 4, 5)).astype(np.float32))
    assert 0 <= frame_confidence(labels * int(random.integers(0, 2)), confidence) <= 1


def test_bytes_are_rounded() -> None:
    # Contract, section 4: round(255 p).
    values = torch.arange(256) / 255
    assert to_bytes(values).tolist() == list(range(256))
    assert to_bytes(torch.tensor([0.0, 1.0, 0.5, 1 / 1020])).tolist() == [0, 255, 128, 0]


def test_each_object_has_its_own() -> None:
    labels = torch.zeros(1, 3, 1, 8)
    labels[0, 0, 0, :4] = 1
    labels[0, 1, 0, 4:6] = 1
    sure = torch.tensor([1.0, 1, 1, 1, 0.5, 0.5, 1, 1]).view(1, 1, 1, 8)
    assert object_confidences(labels, sure) == [1, 0.75, None]  # the third is nowhere
    labels[0, 1, 0, 6] = 0.4  # may be missed: expected union 2 + .25
    sure[..., 6] = 0.5
    assert object_confidences(labels, sure) == pytest.approx([1, 1.5 / 2.25, None])


@settings(deadline=None)
@given(st.integers(0, 2**31))
def test_of_one_object_it_is_that_of_the_frame(seed: int) -> None:
    random = np.random.default_rng(seed)
    labels = torch.from_numpy(random.random((1, 1, 4, 5)).astype(np.float32)) * int(random.integers(0, 2))
    confidence = torch.from_numpy(random.random((1, 1, 4, 5)).astype(np.float32))
    found = object_confidences(labels, confidence)[0]
    assert (1.0 if found is None else found) == pytest.approx(frame_confidence(labels, confidence))
