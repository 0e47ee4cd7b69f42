"""A soft label on a box of a frame: what is written of it, and where nothing is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from vsodtool.ops.boxes import Box
from vsodtool.pipelines.densify.filling.label import SoftLabel

BOX = Box(1, 1, 3, 4)


def soft_label(*, support: float | None = None) -> SoftLabel:
    """Two objects on a box of a frame of 4 x 5 pixels."""
    labels = torch.zeros(1, 2, *BOX.size)
    labels[0, 0, 0, 0], labels[0, 1, 0, 1], labels[0, :, 1, 1] = 0.6, 1.0, 0.4
    trust = torch.full((1, 1, *BOX.size), 0.5)
    return SoftLabel(7, (4, 5), BOX, labels, trust, None if support is None else trust * 0 + support)


def test_ids_of_the_winners() -> None:
    expected = np.zeros((4, 5), np.uint16)
    expected[1, 1], expected[1, 2], expected[2, 2] = 7, 300, 7  # of equals the first wins
    found = soft_label().ids([7, 300])
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.uint16


def test_probability_is_that_of_any_object_and_nothing_outside() -> None:
    expected = np.zeros((4, 5), np.uint8)
    expected[1, 1], expected[1, 2], expected[2, 2] = round(0.6 * 255), 255, round(0.8 * 255)
    np.testing.assert_array_equal(soft_label().soft(), expected)


def test_confidence_is_clearness_times_trust_times_support_and_full_outside() -> None:
    sure = np.full((4, 5), 255, np.uint8)
    # The lead of the winner over all others, by half: 0.6 leads by 0.2, of (0.2, 0.4, 0.4) none leads.
    sure[1:3, 1:4] = np.round(np.array([[0.2, 1, 1], [1, 0, 1]]) * 0.5 * 255 + 1e-3)
    np.testing.assert_array_equal(soft_label().sure(), sure)
    sure[1:3, 1:4] = np.round(np.array([[0.2, 1, 1], [1, 0, 1]]) * 0.25 * 255 + 1e-3)
    label = soft_label(support=0.5)
    np.testing.assert_array_equal(label.sure(), sure)
    # What a frame's J is expected from does not know of support.
    torch.testing.assert_close(label.certainty, soft_label().certainty)


def test_of_the_frame_trust_may_count_less_than_of_its_pixels() -> None:
    label = replace(soft_label(), of_frame=0.5)
    torch.testing.assert_close(label.certainty, soft_label().certainty * 2**0.5)
    torch.testing.assert_close(label.confidence, soft_label().confidence)
    assert label.frame_confidence > soft_label().frame_confidence
