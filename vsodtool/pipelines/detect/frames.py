"""Frames that follow each other -> what is salient in them: a stretch of a video, as if it were all of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from torch import Tensor

from vsodtool.models.detector.detector import Detector
from vsodtool.models.flow.by_patches import motion_estimator
from vsodtool.pipelines.detect.clips import Batching, ClipDetection
from vsodtool.pipelines.detect.inputs import FrameInputs
from vsodtool.pipelines.detect.smoothing import NoSmoothing, SaliencySmoothing
from vsodtool.types import Frame, ImageArray

CLIP = 4  # frames, as `predict` has it


def detect_frames(
    detector: Detector, rgbs: Iterable[ImageArray], count: int, *, threads: int
) -> Iterator[Tensor]:
    """Saliency of each frame (1, 1, S, S) in [0, 1], in order, as `predict` finds it by default.

    Args:
        detector: the network.
        rgbs: the frames, uint8 (H, W, 3).
        count: how many they are.
        threads: that work on it.
    """
    names = [f"{position:08d}" for position in range(count)]
    length = CLIP if detector.is_video else 1
    with ThreadPoolExecutor(threads, "saliency") as pool, ThreadPoolExecutor(threads, "pictures") as pictures:
        motion = detector.sees_motion
        smoothing = (
            SaliencySmoothing(names, frozenset(), pictures, motion_estimator())
            if motion
            else NoSmoothing(frozenset())
        )
        detection = ClipDetection(
            detector,
            Batching(length, length, 1, 1, threads + 1),
            pool,
            announced=count,
            wanted=smoothing.wants,
        )
        inputs = FrameInputs(detector.size, pictures, motion_estimator() if motion else None)
        for position, (name, rgb) in enumerate(zip(names, rgbs, strict=True)):
            for seen in inputs.add(Frame(position, name, rgb)):
                smoothing.see(seen.index, seen.image, seen.behind)
                detection.add(seen.index, seen.name, seen.image, seen.motion)
            yield from (salient for _, salient in smoothing.smooth(detection.known()))
        for seen in inputs.end():
            smoothing.see(seen.index, seen.image, seen.behind)
            detection.add(seen.index, seen.name, seen.image, seen.motion)
            yield from (salient for _, salient in smoothing.smooth(detection.known()))
        yield from (salient for _, salient in smoothing.rest(detection.rest()))
