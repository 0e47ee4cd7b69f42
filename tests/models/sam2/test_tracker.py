"""The stream that forgets gives, byte for byte, what the library's own loops give."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.tiny_sam2 import write_tiny_sam2
from vsodtool.media.weights.pretrained import read_sam2
from vsodtool.models.sam2.tracker import Sam2Tracker, Sighting
from vsodtool.types import ImageArray

CPU = torch.device("cpu")
LENGTH = 24  # more than the network remembers: 15 pointers and 6 memories besides the first frame


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def tracker(one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> Sam2Tracker:
    folder = write_tiny_sam2(tmp_path_factory.mktemp("weights") / "tiny")
    network, processor, _ = read_sam2(folder)
    return Sam2Tracker(network, processor, device=CPU)


@pytest.fixture(scope="module")
def frames() -> list[ImageArray]:
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 256, (LENGTH, 6, 9, 3), dtype=np.uint8)
    return list(np.kron(coarse, np.ones((1, 8, 9, 1), np.uint8)))


@pytest.fixture(scope="module")
def masks() -> torch.Tensor:
    drawn = torch.zeros(2, 48, 81, dtype=torch.bool)
    drawn[0, 10:30, 15:50] = True
    drawn[1, 25:46, 55:75] = True
    return drawn


def seen(tracker: Sam2Tracker, frames: list[ImageArray], masks: torch.Tensor) -> list[Sighting]:
    track = tracker.follow(masks)
    return [track.see(frame) for frame in frames]


def check_equal(own: list[Sighting], theirs: list[Any]) -> None:
    assert len(own) == len(theirs) == LENGTH
    for one, other in zip(own, theirs, strict=True):
        assert torch.equal(one.logits, other.pred_masks)
        assert torch.equal(one.scores, other.object_score_logits)
    # The weights are such that this says something: frames differ, objects differ.
    assert not torch.equal(own[3].logits, own[4].logits)
    assert not torch.equal(own[3].logits[0], own[3].logits[1])
    assert float(own[-1].logits.std()) > 0


def test_the_stream_that_the_library_documents(
    tracker: Sam2Tracker, frames: list[ImageArray], masks: torch.Tensor
) -> None:
    processor = tracker.processor
    session = processor.init_video_session(inference_device="cpu")
    theirs = []
    for index, frame in enumerate(frames):
        inputs = processor(images=frame, device="cpu", return_tensors="pt")
        if index == 0:
            processor.add_inputs_to_inference_session(
                session, frame_idx=0, obj_ids=[1, 2], input_masks=[mask.numpy() for mask in masks]
            )
        theirs.append(tracker.network(inference_session=session, frame=inputs.pixel_values[0]))
    check_equal(seen(tracker, frames, masks), theirs)


@pytest.mark.parametrize("reverse", [False, True])
def test_the_library_over_a_whole_video(
    tracker: Sam2Tracker, frames: list[ImageArray], masks: torch.Tensor, reverse: bool
) -> None:
    first = LENGTH - 1 if reverse else 0
    processor = tracker.processor
    session = processor.init_video_session(video=frames[::-1] if reverse else frames, inference_device="cpu")
    processor.add_inputs_to_inference_session(
        session, frame_idx=first, obj_ids=[1, 2], input_masks=list(masks)
    )
    tracker.network(inference_session=session, frame_idx=first)
    theirs = list(
        tracker.network.propagate_in_video_iterator(session, start_frame_idx=first, reverse=reverse)
    )
    check_equal(seen(tracker, frames, masks), theirs)


def test_the_session_does_not_grow(
    tracker: Sam2Tracker, frames: list[ImageArray], masks: torch.Tensor
) -> None:
    track = tracker.follow(masks)
    held = []
    for index in range(2 * LENGTH):
        track.see(frames[index % LENGTH])
        held.append(track.frames_held)
    assert tracker.remembered == 15
    assert held[:3] == [1, 2, 3]
    assert held[15:] == [16] * (2 * LENGTH - 15)  # the labelled frame and those that it still looks at


def test_a_network_that_remembers_less(tmp_path: Path, frames: list[ImageArray], masks: torch.Tensor) -> None:
    folder = write_tiny_sam2(tmp_path / "short", num_maskmem=3, max_object_pointers_in_encoder=2)
    network, processor, _ = read_sam2(folder)
    tracker = Sam2Tracker(network, processor, device=CPU)
    assert tracker.remembered == 2
    track = tracker.follow(masks)
    own = [track.see(frame) for frame in frames]
    assert track.frames_held == 3
    session = processor.init_video_session(video=frames, inference_device="cpu")
    processor.add_inputs_to_inference_session(session, frame_idx=0, obj_ids=[1, 2], input_masks=list(masks))
    network(inference_session=session, frame_idx=0)
    check_equal(own, list(network.propagate_in_video_iterator(session, start_frame_idx=0)))


def test_two_tracks_do_not_mind_each_other(
    tracker: Sam2Tracker, frames: list[ImageArray], masks: torch.Tensor
) -> None:
    alone = seen(tracker, frames[:4], masks)
    one, other = tracker.follow(masks), tracker.follow(masks[1:])
    for index in range(4):
        both, _ = one.see(frames[index]), other.see(frames[-1 - index])
        assert torch.equal(both.logits, alone[index].logits)
