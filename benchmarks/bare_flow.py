"""The bare cost under `pseudolabel`: decode the frames, compute both adjacent flows, throw them away.

    python benchmarks/bare_flow.py INPUT... [--backend auto] [--quality balanced] [--device auto]

All cores, full frames, the estimator with the settings of that quality. Prints one JSON object: frames, and
seconds without imports. `throughput.py` runs it in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch

from vsodtool.checks import resolve_device
from vsodtool.media.frames import open_frames
from vsodtool.media.inputs import discover_videos
from vsodtool.models.flow.registry import create_estimator
from vsodtool.types import ImageArray


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
    estimator = create_estimator(arguments.backend, quality=arguments.quality, device=device)
    cores = os.cpu_count() or 1

    def tensor(rgb: ImageArray) -> torch.Tensor:
        planes = torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1)))
        return planes.to(device)[None].float().div_(255)

    frames = 0
    start = time.perf_counter()
    with ThreadPoolExecutor(cores) as pool:
        waiting: deque[Future[torch.Tensor]] = deque()
        for video in discover_videos(arguments.inputs):
            before: torch.Tensor | None = None
            for frame in open_frames(video):
                here = tensor(frame.rgb)
                if before is not None:
                    waiting.append(pool.submit(estimator.estimate, before, here))
                    waiting.append(pool.submit(estimator.estimate, here, before))
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
