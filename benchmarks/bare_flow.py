"""The bare cost under `pseudolabel`: decode the frames, compute both adjacent flows, throw them away.

    python benchmarks/bare_flow.py INPUT... [--backend auto] [--quality balanced] [--device auto]

All cores, full frames, the settings that `pseudolabel` has for adjacent flow at that quality. DIS is called
on grey frames without the estimator around it, so that only decoding and flow are counted; other backends go
through their estimator. Prints one JSON object: frames, and seconds without imports. `throughput.py` runs it
in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
import torch

from vsodtool.checks import resolve_device
from vsodtool.media.video.frames import open_frames
from vsodtool.media.video.inputs import discover_videos
from vsodtool.models.flow.dis import DisEstimator
from vsodtool.models.flow.registry import resolve_backend
from vsodtool.pipelines.densify.quality import motion_estimators
from vsodtool.types import FlowEstimator, ImageArray, ignore_event

Prepare = Callable[[ImageArray], Any]
Compute = Callable[[Any, Any], Any]


def bare_dis(estimator: DisEstimator) -> tuple[Prepare, Compute]:
    """Grey conversion, once a frame, and OpenCV's DIS with the same settings, one object per thread."""
    settings, own = estimator.settings, threading.local()

    def grey(rgb: ImageArray) -> Any:
        return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)

    def compute(a: Any, b: Any) -> Any:
        if not hasattr(own, "engine"):
            own.engine = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
            own.engine.setFinestScale(settings.finest_scale)
            own.engine.setPatchSize(settings.patch_size)
            own.engine.setPatchStride(settings.patch_stride)
            own.engine.setGradientDescentIterations(settings.gradient_descent_iterations)
            own.engine.setVariationalRefinementIterations(settings.variational_refinement_iterations)
        return own.engine.calc(a, b, None)

    return grey, compute


def through_estimator(estimator: FlowEstimator, device: torch.device) -> tuple[Prepare, Compute]:
    """Tensors on the device, and the estimator itself."""

    def tensor(rgb: ImageArray) -> Any:
        planes = torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1)))
        return planes.to(device)[None].float().div_(255)

    return tensor, estimator.estimate


def main() -> None:
    """Decode, flow, report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("inputs", nargs="+")
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--quality", default="balanced")
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    device = resolve_device(arguments.device)
    backend = resolve_backend(arguments.backend, device)
    estimator = motion_estimators(backend, arguments.quality, device, ignore_event).adjacent
    bare = isinstance(estimator, DisEstimator)
    prepare, compute = bare_dis(estimator) if bare else through_estimator(estimator, device)
    cores = os.cpu_count() or 1
    frames = 0
    start = time.perf_counter()
    with ThreadPoolExecutor(cores) as pool:
        waiting: deque[Future[Any]] = deque()
        for video in discover_videos(arguments.inputs):
            before: Any = None
            for frame in open_frames(video):
                here = prepare(frame.rgb)
                if before is not None:
                    waiting.append(pool.submit(compute, before, here))
                    waiting.append(pool.submit(compute, here, before))
                while len(waiting) > 2 * cores:
                    waiting.popleft().result()
                before = here
                frames += 1
        for future in waiting:
            future.result()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    print(json.dumps({"frames": frames, "seconds": time.perf_counter() - start, "estimator": estimator.name}))


if __name__ == "__main__":
    main()
