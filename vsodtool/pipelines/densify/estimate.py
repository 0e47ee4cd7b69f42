"""How long a run would take: one interval is made, nothing of it kept, and the rest is reckoned from it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vsodtool.media.masks.sparse import MaskSet
from vsodtool.media.video.frames import FrameSource
from vsodtool.pipelines.densify.choosing.hidden_labels import HiddenTest
from vsodtool.pipelines.densify.effort import OVERLAY, Prices, of_tracking
from vsodtool.pipelines.densify.filling.far import FAR, is_far
from vsodtool.pipelines.densify.interval import SparseVideo
from vsodtool.pipelines.densify.setup import Candidates
from vsodtool.pipelines.densify.side_by_side import Workers


@dataclass(frozen=True)
class Pace:
    """What was measured.

    Attributes:
        seconds: that the interval took.
        frames: that were made in it.
        per_cost: seconds of a unit of `effort`, for a pixel.
    """

    seconds: float
    frames: int
    per_cost: float


def measure_pace(video: SparseVideo, candidates: Candidates, workers: Workers) -> Pace | None:
    """Make the first interval between two labels, or what there is; None where nothing is to be made.

    Args:
        video: with its masks; nothing is written but to a temporary folder.
        candidates: of which the default works.
        workers: do it.
    """
    method = candidates.methods[candidates.names[0]]
    with tempfile.TemporaryDirectory(prefix="vsodtool-pace-") as folder:
        for interval in replace(video, spill_folder=Path(folder)).intervals(set()):
            try:
                labels, targets = len(interval.labelled), len(interval.targets)
                if not labels or (labels < 2 and len(video.masks.names) > 1):  # not what most will be like
                    continue
                start = time.perf_counter()
                candidates.fill(method, interval, workers=workers, on_label=lambda _: None)
                seconds = time.perf_counter() - start
            finally:
                interval.frames.close()
            height, width = video.source.size
            cost = Prices.of(method.name, candidates.quality).interval(targets, labels)
            if candidates.follows(method) and is_far(interval):
                cost += of_tracking(targets, labels)
            return Pace(seconds, targets, seconds / (cost * height * width))
    return None


def estimate_seconds(
    pace: Pace,
    source: FrameSource,
    masks: MaskSet,
    tests: Sequence[HiddenTest],
    candidates: Candidates,
    *,
    overlay: bool,
) -> float:
    """Seconds that a video would take.

    Args:
        pace: measured on it or on another one.
        source: its frames.
        masks: its masks.
        tests: the hidden labels that methods are tried on; none where there is one method.
        candidates: the methods; the default is taken for the one that is chosen.
        overlay: it is drawn, too.
    """
    index_of = {name: index for index, name in enumerate(source.names)}
    missing = [index for name, index in index_of.items() if name not in masks.files]
    labelled = [index_of[name] for name in masks.names]
    default = candidates.names[0]
    prices = Prices.of(default, candidates.quality)
    follows = candidates.follows(candidates.methods[default])
    cost = prices.video(labelled, missing, FAR if follows else None)
    cost += sum(prices.test(test, candidates.names) for test in tests)
    if overlay:
        cost += OVERLAY * len(source.names)
    height, width = source.size
    return pace.per_cost * cost * height * width
