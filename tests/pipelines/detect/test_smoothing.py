"""Blocks of maps: whatever is finished already, and whatever is lost, each map is that of its window."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import torch
from torch import Tensor

from vsodtool.ops.labels.temporal_smoothing import from_log_odds, log_odds
from vsodtool.ops.motion.average import average_along_motion, link
from vsodtool.pipelines.detect.smoothing import BLOCK, REACH, SURER, NoSmoothing, SaliencySmoothing

SIDE = 8
COUNT = 3 * BLOCK + 5
NAMES = [f"{number:05d}" for number in range(COUNT)]
RNG = torch.Generator().manual_seed(0)
IMAGES = torch.randint(0, 10, (COUNT, 3, SIDE, SIDE), dtype=torch.uint8, generator=RNG)
MAPS = torch.rand(COUNT, 1, 1, SIDE, SIDE, generator=RNG)


class AtRest:
    """Nothing moves."""

    name = "at rest"

    def estimate(self, image_a: Tensor, image_b: Tensor, *, initial: Tensor | None = None) -> Tensor:
        return torch.zeros(len(image_a), 2, *image_a.shape[-2:])


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


def run(pool: ThreadPoolExecutor, finished: frozenset[str], lost: frozenset[int]) -> dict[str, Tensor]:
    """As `predict` does it: frames are seen one by one, their maps are known four frames later."""
    smoothing = SaliencySmoothing(NAMES, finished, pool, AtRest())
    waiting: list[tuple[str, Tensor]] = []
    found: dict[str, Tensor] = {}
    for number, name in enumerate(NAMES):
        if number in lost:
            continue
        image: Future[Tensor] = Future()
        image.set_result(IMAGES[number])
        smoothing.see(number, image)
        if smoothing.wants(name):
            waiting.append((name, MAPS[number]))
        if len(waiting) > 4:
            found.update(smoothing.smooth(iter([waiting.pop(0)])))
    found.update(smoothing.rest(iter(waiting)))
    return found


def plainly(number: int, lost: frozenset[int]) -> Tensor:
    """The map of a frame from its block's window."""
    start = number // BLOCK * BLOCK
    window = range(max(start - REACH, 0), min(start + BLOCK + REACH, COUNT))
    present = [at for at in window if at not in lost]
    odds = [log_odds(MAPS[at]).half().float() for at in present]
    images = [IMAGES[at][None].float() / 255 for at in present]
    links = [link(*images[at : at + 2], torch.zeros(2, 2, SIDE, SIDE)) for at in range(len(images) - 1)]
    return from_log_odds(SURER * average_along_motion(odds, links)[present.index(number)])


@pytest.mark.parametrize("lost", [frozenset[int](), frozenset({0, 40, BLOCK - 1, BLOCK, COUNT - 1})])
def test_each_map_is_that_of_its_window(pool: ThreadPoolExecutor, lost: frozenset[int]) -> None:
    found = run(pool, frozenset(), lost)
    assert list(found) == [name for number, name in enumerate(NAMES) if number not in lost]
    for name, values in found.items():
        torch.testing.assert_close(values, plainly(int(name), lost))


@pytest.mark.parametrize("first", [1, BLOCK, BLOCK + 7, COUNT - 1])
def test_what_is_finished_is_not_made_again_and_changes_nothing(pool: ThreadPoolExecutor, first: int) -> None:
    finished = frozenset(NAMES[:first])
    whole, rest = run(pool, frozenset(), frozenset()), run(pool, finished, frozenset())
    assert list(rest) == NAMES[first:]
    for name, values in rest.items():
        assert torch.equal(values, whole[name])


def test_frames_far_from_unfinished_ones_are_not_looked_at(pool: ThreadPoolExecutor) -> None:
    smoothing = SaliencySmoothing(NAMES, frozenset(NAMES) - {NAMES[0]}, pool, AtRest())
    wanted = [number for number, name in enumerate(NAMES) if smoothing.wants(name)]
    assert wanted == list(range(BLOCK + REACH))


def test_a_map_among_others_is_nearer_to_their_mean(pool: ThreadPoolExecutor) -> None:
    found = torch.cat(list(run(pool, frozenset(), frozenset()).values()))
    assert found.std() < MAPS.std() / 2


def test_without_smoothing_maps_pass() -> None:
    none = NoSmoothing(frozenset({"a"}))
    assert [none.wants(name) for name in ("a", "b")] == [False, True]
    known = [("b", torch.ones(1))]
    assert list(none.smooth(iter(known))) == list(none.rest(iter(known))) == known
