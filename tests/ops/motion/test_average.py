"""Means along the motion, in closed form: nothing moves, everything moves alike, nothing looks alike."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from vsodtool.ops.motion.average import FADING, LIKENESS, Link, average_along_motion, link
from vsodtool.ops.warp import sample

SIDE = 16


class Panning:
    """An estimator that knows that the camera moves by so many pixels to the left for each frame."""

    name = "panning"

    def __init__(self, pixels: float) -> None:
        self._pixels = pixels

    def estimate(self, image_a: Tensor, image_b: Tensor, *, initial: Tensor | None = None) -> Tensor:
        assert image_a.shape == image_b.shape == (2, 3, SIDE, SIDE)
        flows = torch.zeros(2, 2, SIDE, SIDE)
        flows[0, 0], flows[1, 0] = self._pixels, -self._pixels
        return flows


def linked(earlier: Tensor, later: Tensor, camera: Panning) -> Link:
    return link(earlier, later, camera.estimate(torch.cat((earlier, later)), torch.cat((later, earlier))))


def at_rest(weight: float = FADING) -> Link:
    still, worth = torch.zeros(1, 2, SIDE, SIDE), torch.full((1, 1, SIDE, SIDE), weight)
    return Link(still, still, worth, worth)


def flat(value: float) -> Tensor:
    return torch.full((1, 1, SIDE, SIDE), value)


def test_at_rest_neighbours_fade_with_distance() -> None:
    values = [1.0, -2.0, 4.0, 0.5, 3.0]
    found = average_along_motion([flat(value) for value in values], [at_rest()] * 4)
    for here, mean in enumerate(found):
        weights = [FADING ** abs(here - there) for there in range(5)]
        expected = sum(weight * value for weight, value in zip(weights, values, strict=True)) / sum(weights)
        torch.testing.assert_close(mean, flat(expected))


def test_one_frame_is_its_own_mean() -> None:
    (found,) = average_along_motion([flat(0.7)], [])
    torch.testing.assert_close(found, flat(0.7))


def test_frames_of_no_weight_have_no_say() -> None:
    first, second = average_along_motion([flat(1.0), flat(-1.0)], [at_rest(0.0)])
    torch.testing.assert_close((first, second), (flat(1.0), flat(-1.0)))


def test_channels_are_averaged_alike() -> None:
    values = [torch.rand(1, 3, SIDE, SIDE) for _ in range(3)]
    together = average_along_motion(values, [at_rest()] * 2)
    for channel in range(3):
        alone = average_along_motion([value[:, channel : channel + 1] for value in values], [at_rest()] * 2)
        torch.testing.assert_close([mean[:, channel : channel + 1] for mean in together], alone)


def test_what_moves_is_followed() -> None:
    """A bar that moves two pixels a frame, and is missed in one of them, is found there again."""
    pictures = [torch.zeros(1, 3, SIDE, SIDE) for _ in range(3)]
    odds = [flat(-3.0) for _ in range(3)]
    for number, picture in enumerate(pictures):
        picture[..., 4 + 2 * number : 8 + 2 * number] = 1
        if number != 1:
            odds[number][..., 4 + 2 * number : 8 + 2 * number] = 3.0
    links = [linked(*pictures[number : number + 2], Panning(2)) for number in range(2)]
    found = average_along_motion(odds, links)[1][0, 0]
    assert (found[:, 7:9] > 0).all()  # two of three say so
    assert (found[:, :4] < 0).all()
    assert (found[:, 12:] < 0).all()


def test_the_weight_of_a_neighbour_is_how_alike_it_looks() -> None:
    dark, light = torch.zeros(1, 3, SIDE, SIDE), torch.full((1, 3, SIDE, SIDE), LIKENESS)
    alike, unlike = linked(dark, dark, Panning(0)), linked(dark, light, Panning(0))
    assert float(alike.later.mean()) == pytest.approx(FADING, abs=1e-3)
    assert float(unlike.later.mean()) == pytest.approx(FADING / 2.71828, abs=1e-3)
    assert torch.equal(unlike.later, unlike.earlier)


def test_a_link_looks_both_ways() -> None:
    generator = torch.Generator().manual_seed(0)
    later = torch.rand(1, 3, SIDE, SIDE, generator=generator)
    flow = torch.zeros(1, 2, SIDE, SIDE)
    flow[:, 0] = 3
    earlier = sample(later, flow)  # what is at x here is at x + 3 there
    found = linked(earlier, later, Panning(3))
    torch.testing.assert_close(found.ahead.float(), flow)
    torch.testing.assert_close(found.back.float(), -flow)
    inside = (..., slice(5, -5))
    assert float(found.later[inside].min()) == pytest.approx(FADING, abs=1e-3)
    assert float(found.earlier[inside].min()) == pytest.approx(FADING, abs=1e-3)
