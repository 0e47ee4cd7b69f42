"""Frames on their way to the network: in order, as late as need be, with work only for what is asked for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from vsodtool.ops.motion.frame_motion import frame_motion
from vsodtool.ops.motion.layout import REACH
from vsodtool.pipelines.detect.inputs import FrameInput, FrameInputs
from vsodtool.types import Frame

SIDE = 64


class Difference:
    """A stand-in for optical flow: depends on both pictures, counts its calls."""

    name = "difference"

    def __init__(self) -> None:
        self.calls = 0

    def estimate(self, image_a: Tensor, image_b: Tensor, *, initial: Tensor | None = None) -> Tensor:
        self.calls += 1
        return (image_b - image_a)[:, :2] * 9


def frames(count: int) -> list[Frame]:
    rng = np.random.default_rng(0)
    # Index 2 did not decode.
    numbers = [index for index in range(count + 1) if index != 2][:count]
    return [
        Frame(index, f"{index:05d}", rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8))
        for index in numbers
    ]


@pytest.mark.parametrize("count", [1, 2, REACH, REACH + 1, 2 * REACH + 3])
def test_motion_is_that_of_the_whole_video(count: int) -> None:
    shown, estimator, seen, behind = frames(count), Difference(), [], []
    with ThreadPoolExecutor(2) as pool:
        inputs = FrameInputs(SIDE, pool, estimator)
        for number, frame in enumerate(shown, start=1):
            seen += inputs.add(frame)
            behind.append(number - len(seen))
        seen += inputs.end()
        assert [(found.index, found.name) for found in seen] == [(f.index, f.name) for f in shown]
        assert max(behind) <= REACH
        assert estimator.calls == 0  # nobody asked yet
        pictures = {place: found.image.result() for place, found in enumerate(seen)}
        for place, found in enumerate(seen):
            assert found.motion is not None
            expected = frame_motion(pictures, place, 0, count - 1, Difference())
            assert torch.equal(found.motion().result(), expected)
            assert torch.equal(found.motion().result(), expected)  # as often as it is asked for


def test_without_motion_frames_pass_at_once() -> None:
    with ThreadPoolExecutor(1) as pool:
        inputs = FrameInputs(SIDE, pool, None)
        for frame in frames(5):
            found: list[FrameInput] = list(inputs.add(frame))
            assert [seen.name for seen in found] == [frame.name]
            assert found[0].motion is None
            assert torch.equal(found[0].image.result(), torch.from_numpy(frame.rgb).permute(2, 0, 1))
        assert list(inputs.end()) == []


def test_the_flows_between_neighbours_are_estimated_once() -> None:
    estimator, seen = Difference(), []
    with ThreadPoolExecutor(2) as pool:
        inputs = FrameInputs(SIDE, pool, estimator)
        for frame in frames(9):
            seen += inputs.add(frame)
        seen += inputs.end()
        assert seen[0].behind is None
        between = [found.behind.begin() for found in seen[1:] if found.behind is not None]
        maps = [found.motion() for found in seen if found.motion is not None]
        for each in maps:
            each.result()
        pictures = [found.image.result()[None].float() / 255 for found in seen]
        for (earlier, later), flows in zip(pairwise(pictures), between, strict=True):
            expected = Difference().estimate(torch.cat((earlier, later)), torch.cat((later, earlier)))
            assert torch.equal(flows.result(), expected)
    assert estimator.calls == 8 + 9  # each pair, and what lies further away from each frame
