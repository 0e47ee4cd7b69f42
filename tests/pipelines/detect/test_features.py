"""Features by position: groups whatever is asked for, each frame once, none that nobody needs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import cast

import pytest
import torch
from torch import Tensor

from vsodtool.models.detector.detector import Detector
from vsodtool.models.rcrnet.network import FrameFeatures
from vsodtool.pipelines.detect.features import FeatureStore


class Echo:
    """The features of a frame are its number, plus 100 times its motion."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self._lock = threading.Lock()

    def held(self) -> threading.Lock:
        """While this is held no group gets done, however quick the pool is."""
        return self._lock

    def encode(self, images: Tensor, motion: Tensor | None = None) -> FrameFeatures:
        values = images[:, :1, :1, :1].float()
        with self._lock:
            self.groups.append([int(value) for value in values.flatten()])
        if motion is not None:
            values = values + 100 * motion[:, :1, :1, :1].float()
        return FrameFeatures(values, (values, values, values), (2, 2))


def ready(number: int, channels: int = 3) -> Future[Tensor]:
    future: Future[Tensor] = Future()
    future.set_result(torch.full((channels, 2, 2), number))
    return future


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def make(echo: Echo, pool: ThreadPoolExecutor, count: int, *, wanted: bool, group: int = 2) -> FeatureStore:
    store = FeatureStore(cast(Detector, echo), pool, group)
    for number in range(count):
        store.add(ready(number), wanted=wanted)
    return store


def test_groups_begin_as_soon_as_they_are_full_and_the_last_one_at_the_end(
    echo: Echo, pool: ThreadPoolExecutor
) -> None:
    store = make(echo, pool, 5, wanted=True)
    wait(store.running())
    assert sorted(echo.groups) == [[0, 1], [2, 3]]
    assert not store.begin(range(4, 5))
    store.end()
    wait(store.running())
    assert sorted(echo.groups) == [[0, 1], [2, 3], [4]]
    assert store.begin(range(5))
    assert [int(store.get(number).context) for number in range(5)] == [0, 1, 2, 3, 4]


def test_only_what_is_asked_for_is_computed_but_in_whole_groups(echo: Echo, pool: ThreadPoolExecutor) -> None:
    store = make(echo, pool, 6, wanted=False)
    store.end()
    assert store.running() == []
    with echo.held():
        assert not store.begin(range(3, 4))
    wait(store.running())
    assert store.begin(range(3, 4))
    assert echo.groups == [[2, 3]]


def test_forgotten_features_are_computed_again_and_forgotten_frames_are_gone(
    echo: Echo, pool: ThreadPoolExecutor
) -> None:
    store = make(echo, pool, 4, wanted=True)
    wait(store.running())
    store.forget(0, 2)
    with echo.held():
        assert not store.begin(range(2))
    wait(store.running())
    assert store.begin(range(4))
    assert sorted(echo.groups) == [[0, 1], [0, 1], [2, 3]]
    store.forget(2, 2)
    with pytest.raises(KeyError):
        store.begin(range(2))
    assert int(store.get(3).context) == 3


def test_motion_is_made_when_its_group_begins(echo: Echo, pool: ThreadPoolExecutor) -> None:
    store = FeatureStore(cast(Detector, echo), pool, 2)
    begun: list[int] = []

    def motion(number: int) -> Future[Tensor]:
        begun.append(number)
        return ready(number + 1, 1)

    store.add(ready(0), lambda: motion(0), wanted=True)
    assert begun == []
    store.add(ready(1), lambda: motion(1), wanted=True)
    assert begun == [0, 1]
    wait(store.running())
    assert [int(store.get(number).context) for number in range(2)] == [100, 201]
