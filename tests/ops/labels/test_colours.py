"""Two objects of one colour each, and what each says about a pixel in doubt."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import convolve1d

from vsodtool.ops.labels.colours import AROUND, BINS, owner_colours, settle_by_colours
from vsodtool.ops.labels.exposure import Exposure

RED, GREEN, GREY = (0.9, 0.1, 0.1), (0.1, 0.8, 0.2), (0.5, 0.5, 0.5)


def painted(rows: int = 40, columns: int = 60) -> tuple[torch.Tensor, torch.Tensor]:
    """Red on the left, green in the middle, grey elsewhere; and the labels of the two."""
    labels = torch.zeros(1, 2, rows, columns)
    labels[:, 0, 10:30, 5:20] = 1
    labels[:, 1, 10:30, 20:35] = 1
    colours = torch.tensor([GREY, RED, GREEN]).T  # (3, owners)
    owners = torch.cat((1 - labels.sum(dim=1, keepdim=True), labels), dim=1)
    return torch.einsum("co,bohw->bchw", colours, owners), labels


def test_histograms_are_numpys_blurred_by_scipy() -> None:
    random = np.random.default_rng(0)
    image = random.random((1, 3, 12, 15), np.float32)
    labels = np.zeros((1, 1, 12, 15), np.float32)
    labels[..., 3:9, 4:11] = 1
    found = owner_colours(torch.from_numpy(image), torch.from_numpy(labels)).numpy()
    for owner, inside in ((0, labels[0, 0] == 0), (1, labels[0, 0] == 1)):
        expected, _ = np.histogramdd(image[0][:, inside].T, BINS, [(0, 1)] * 3)
        for axis in range(3):
            expected = convolve1d(expected, [0.25, 0.5, 0.25], axis, mode="constant")
        np.testing.assert_allclose(found[owner], expected.ravel() / expected.sum(), atol=1e-6)


def test_the_background_is_what_lies_around() -> None:
    image, labels = torch.zeros(1, 3, 20, 200), torch.zeros(1, 1, 20, 200)
    labels[..., 5:15, 5:15] = 1
    image[..., 15 + AROUND :] = 1  # far away it is white
    colours = owner_colours(image, labels)
    assert float(colours[0, -1]) == 0
    assert float(colours[0].argmax()) == 0
    assert float(owner_colours(image, torch.zeros_like(labels))[1].sum()) == 0  # nothing of it there
    assert float(owner_colours(image, torch.zeros_like(labels))[0].sum()) == pytest.approx(1)


@pytest.mark.parametrize("trust", [0.2, 0.5])
def test_in_doubt_the_owner_of_the_colour_wins(trust: float) -> None:
    image, labels = painted()
    seen = [owner_colours(image, labels)]
    doubtful = labels.clone()
    doubtful[:, 0, 15:25, 20:26] = 0.6  # red is said to reach into the green
    doubtful[:, 1, 15:25, 20:26] = 0.4
    settled = settle_by_colours(doubtful, torch.full_like(labels[:, :1], trust), [image], seen)
    assert torch.equal(settled > 0.5, labels > 0.5)
    assert bool(((settled >= 0) & (settled.sum(dim=1, keepdim=True) <= 1 + 1e-6)).all())


def test_what_is_not_in_doubt_stays() -> None:
    image, labels = painted()
    seen = [owner_colours(image, labels)]
    wrong = labels.flip(1)
    sure = torch.ones_like(labels[:, :1])
    assert settle_by_colours(wrong, sure, [image], seen) is wrong
    soft = wrong * 0.9
    alike = [torch.ones_like(seen[0]) / BINS**3]  # colours that tell nothing
    torch.testing.assert_close(settle_by_colours(soft, sure / 2, [image], alike), soft)


def test_another_light_is_undone() -> None:
    image, _ = painted()
    light = Exposure(torch.tensor([0.5, 0.6, 0.7]).view(1, 3, 1, 1), torch.full((1, 3, 1, 1), 0.1))
    torch.testing.assert_close(light.undo(light.apply(image)), image)


def test_does_not_change_its_arguments() -> None:
    image, labels = painted()
    seen, doubtful = owner_colours(image, labels), labels * 0.6
    before = image.clone(), doubtful.clone(), seen.clone()
    settle_by_colours(doubtful, torch.full_like(labels[:, :1], 0.5), [image], [seen])
    for now, then in zip((image, doubtful, seen), before, strict=True):
        assert torch.equal(now, then)
