from __future__ import annotations

import torch

from vsodtool.ops.motion.frame_motion import frame_motion
from vsodtool.ops.motion.layout import CHANNELS, MAPS, OFFSETS


class Counting:
    """The flow from a to b is (b - a, 0) in the left half, where a and b are the grey values; 0 elsewhere."""

    name = "counting"

    def __init__(self) -> None:
        self.pairs = 0

    def estimate(
        self, image_a: torch.Tensor, image_b: torch.Tensor, *, initial: torch.Tensor | None = None
    ) -> torch.Tensor:
        self.pairs += len(image_a)
        flows = torch.zeros(len(image_a), 2, *image_a.shape[-2:])
        flows[:, 0, 20:44, 4:24] = ((image_b - image_a) * 255).mean((1, 2, 3)).view(-1, 1, 1)
        return flows


def images(count: int) -> dict[int, torch.Tensor]:
    return {number: torch.full((3, 64, 64), 10 + 4 * number, dtype=torch.uint8) for number in range(count)}


def test_steady_motion_looks_alike_to_all_neighbours() -> None:
    maps = frame_motion(images(9), 4, 0, 8, Counting())
    assert (maps.dtype, maps.shape) == (torch.float16, (CHANNELS, 32, 32))
    groups = maps.view(len(OFFSETS), MAPS, 32, 32)
    assert (groups[:, 0, 14:18, 6:8] > 1).all()
    torch.testing.assert_close(groups[0], groups[3])
    torch.testing.assert_close(groups[1], groups[2])


def test_the_ends_of_a_video_repeat_what_is_known() -> None:
    estimator = Counting()
    maps = frame_motion(images(9), 0, 0, 8, estimator)
    assert estimator.pairs == 2  # each neighbour once
    groups = maps.view(len(OFFSETS), MAPS, 32, 32)
    assert torch.equal(groups[0], groups[3])
    assert torch.equal(groups[1], groups[2])


def test_a_single_frame_does_not_move() -> None:
    estimator = Counting()
    maps = frame_motion(images(1), 0, 0, 0, estimator)
    assert (maps.dtype, maps.shape, estimator.pairs) == (torch.float16, (CHANNELS, 32, 32), 0)
    assert not maps.any()
