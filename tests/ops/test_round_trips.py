"""What is done to every pixel of a frame never waits for the host: no value leaves the device on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from vsodtool.ops import warp
from vsodtool.ops.boxes import Box
from vsodtool.ops.labels import edges, matching, photometric, temporal_smoothing
from vsodtool.ops.labels.edges import align_to_edges
from vsodtool.ops.labels.fusion import fuse
from vsodtool.ops.labels.matching import BALANCED, match_owners
from vsodtool.ops.labels.photometric import photometric_error
from vsodtool.ops.labels.propagation import carry, start
from vsodtool.ops.labels.temporal_smoothing import Neighbour, from_bounded_odds, log_odds, smooth_over_time
from vsodtool.ops.warp import compose_flows, sample

SIZE = (24, 32)
BOX = Box(0, 0, *SIZE)
# What makes the host wait for a device: a value is read, or a result's shape depends on values.
WAITS = {"aten::_local_scalar_dense", "aten::nonzero", "aten::masked_select", "aten::equal"}


class Waits(TorchDispatchMode):
    """Counts what would make the host wait, and copies from one device to another."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        name = func.name().partition(".")[0]
        moved = name == "aten::_to_copy" and found.device != args[0].device
        self.count += name in WAITS or moved
        return found


def flow() -> torch.Tensor:
    return torch.rand(1, 2, *SIZE)


def image(count: int = 1) -> torch.Tensor:
    return torch.rand(count, 3, *SIZE)


def labels(count: int = 1) -> torch.Tensor:
    return torch.rand(count, 1, *SIZE)


def smooth() -> torch.Tensor:
    odds = log_odds(labels())
    warped = sample(torch.cat((odds, image()), dim=1), compose_flows(flow(), flow()))
    return from_bounded_odds(smooth_over_time(odds, image(), [Neighbour(warped[:, :1], warped[:, 1:], 2)]))


STEPS: dict[str, Callable[[], Any]] = {
    "carry": lambda: carry(start(labels(), BOX), flow(), flow(), BOX),
    "fusion": lambda: fuse(labels(4), labels(4), photometric_error(image(4), image(4))),
    "edges": lambda: align_to_edges(labels(), image()),
    "smoothing": smooth,
}


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[Waits]:
    for module in (
        edges,
        matching,
        photometric,
        temporal_smoothing,
        warp,
    ):  # loops of the host are for what is there
        monkeypatch.setattr(module, "library", lambda: None)
    with Waits() as mode:
        yield mode


@pytest.mark.parametrize("step", STEPS)
def test_steps_of_the_hot_path_never_wait(waits: Waits, step: str) -> None:
    STEPS[step]()
    assert waits.count == 0


def test_the_search_waits_for_the_box_of_what_is_in_doubt_only(waits: Waits) -> None:
    match_owners(labels(), image(), image(4), labels(4), search=BALANCED)
    assert waits.count <= 6  # rows and columns that hold doubt, and both ends of each


def test_waiting_is_noticed(waits: Waits) -> None:
    values = labels()
    assert float(values.max()) <= 1
    torch.nonzero(values)
    assert waits.count == 2
