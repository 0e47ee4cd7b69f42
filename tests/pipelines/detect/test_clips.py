"""Clips over a stand-in for a network whose answer is known in closed form."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import cast

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vsodtool.models.detector.detector import Detector
from vsodtool.models.rcrnet.network import FrameFeatures
from vsodtool.ops.clips import clip_ranges
from vsodtool.pipelines.detect.clips import Batching, ClipDetection


class Counting:
    """The map of frame i is (i + the sum of its clip's first and last frame) / 1000. Counts its work."""

    is_video, size, precision, device = True, 2, "fp32", torch.device("cpu")

    def __init__(self) -> None:
        self.encoded: list[int] = []
        self.decoded: list[int] = []
        self.groups: list[tuple[int, ...]] = []
        self._lock = threading.Lock()

    def encode(self, images: Tensor) -> FrameFeatures:
        values = images[:, :1, :1, :1].float()
        numbers = [int(value) for value in values.flatten()]
        with self._lock:
            self.encoded += numbers
            self.groups.append(tuple(numbers))
        return FrameFeatures(values, (values, values, values), (2, 2))

    def relate(self, context: Tensor) -> Tensor:
        return context + context[:1] + context[-1:]

    def decode(self, features: FrameFeatures, context: Tensor) -> Tensor:
        with self._lock:
            self.decoded += [int(value) for value in features.skips[0].flatten()]
        return (context / 1000).expand(-1, 1, 2, 2).clone()


def truth(count: int, length: int, stride: int) -> list[float]:
    found: list[list[float]] = [[] for _ in range(count)]
    for clip in clip_ranges(count, length, stride):
        for frame in clip:
            found[frame].append((frame + clip[0] + clip[-1]) / 1000)
    return [sum(values) / len(values) for values in found]


def image(number: int) -> Future[Tensor]:
    future: Future[Tensor] = Future()
    future.set_result(torch.full((3, 2, 2), number, dtype=torch.uint8))
    return future


def detect(
    network: Counting,
    count: int,
    batching: Batching,
    *,
    wanted: Callable[[str], bool] = lambda name: True,
    announced: int | None = None,
    watch: Callable[[ClipDetection], None] = lambda detection: None,
) -> dict[str, float]:
    found: dict[str, float] = {}
    with ThreadPoolExecutor(2) as pool:
        detection = ClipDetection(
            cast(Detector, network),
            batching,
            pool,
            announced=count if announced is None else announced,
            wanted=wanted,
        )

        def take(known: Iterator[tuple[str, Tensor]]) -> None:
            for name, values in known:
                assert values.shape == (1, 1, 2, 2)
                assert name not in found
                found[name] = float(values.mean())

        for number in range(count):
            detection.add(number, str(number), image(number))
            take(detection.known())
            watch(detection)
        take(detection.rest())
        watch(detection)
    assert list(found) == sorted(found, key=int)
    return found


@st.composite
def batchings(draw: st.DrawFn) -> Batching:
    length = draw(st.integers(1, 9))
    return Batching(
        length,
        draw(st.integers(1, length)),
        draw(st.integers(1, 4)),
        draw(st.integers(1, 5)),
        draw(st.integers(0, 4)),
    )


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 40), batchings())
def test_every_frame_is_the_average_of_its_clips(count: int, batching: Batching) -> None:
    network = Counting()
    found = detect(network, count, batching)
    expected = truth(count, batching.clip_length, batching.stride)
    assert [found[str(number)] for number in range(count)] == pytest.approx(expected)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 40), batchings(), st.data())
def test_a_part_of_the_frames_is_as_in_the_whole(count: int, batching: Batching, data: st.DataObject) -> None:
    """What is computed together, and the sums, are the same: a run that goes on gives the same bytes."""
    wanted = data.draw(st.sets(st.integers(0, count - 1)))
    whole, part = Counting(), Counting()
    everything = detect(whole, count, batching)
    found = detect(part, count, batching, wanted=lambda name: int(name) in wanted)
    assert found == {str(number): everything[str(number)] for number in sorted(wanted)}
    assert set(part.groups) <= set(whole.groups)


def test_frames_are_encoded_once_and_only_where_needed() -> None:
    network = Counting()
    batching = Batching(clip_length=4, stride=2, clips=1, frames=1, at_once=3)
    detect(network, 23, batching)
    assert sorted(network.encoded) == list(range(23))
    network = Counting()
    detect(network, 24, batching, wanted=lambda name: name == "9")
    assert sorted(network.encoded) == [6, 7, 8, 9, 10, 11]
    assert network.decoded.count(9) == 2
    assert set(network.decoded) == {9}
    network = Counting()
    assert detect(network, 24, batching, wanted=lambda name: False) == {}
    assert network.encoded == []


def test_memory_is_bounded_by_the_clip() -> None:
    held: list[tuple[int, int]] = []

    def watch(detection: ClipDetection) -> None:
        groups = detection._store._groups.values()
        held.append((len(groups), sum(group.features is not None for group in groups)))

    batching = Batching(clip_length=8, stride=8, clips=1, frames=1, at_once=3)
    detect(Counting(), 200, batching, watch=watch)
    images, features = (max(values) for values in zip(*held, strict=True))
    most = 2 * 8 + 3 + 1
    assert images <= most + 8  # the last clip might reach back
    assert features <= most


@pytest.mark.parametrize("lost", [1, 3])
def test_features_are_made_again_where_the_video_ends_before_it_should(lost: int) -> None:
    network = Counting()
    batching = Batching(clip_length=8, stride=8, clips=1, frames=1, at_once=0)
    found = detect(network, 33 - lost, batching, announced=40)
    assert [found[str(number)] for number in range(33 - lost)] == pytest.approx(truth(33 - lost, 8, 8))


def test_an_error_of_the_network_comes_up() -> None:
    class Failing(Counting):
        def relate(self, context: Tensor) -> Tensor:
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        detect(Failing(), 9, Batching(4, 4, 1, 1, 2))
