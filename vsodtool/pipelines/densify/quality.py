"""What --quality means: settings of the flow and of the rules."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from vsodtool.models.flow.dis import DisEstimator, DisSettings
from vsodtool.models.flow.registry import create_estimator
from vsodtool.ops.matching import BALANCED, Search
from vsodtool.pipelines.densify.method import Method, WarpMethod
from vsodtool.pipelines.densify.motion import MotionEstimators
from vsodtool.types import OnEvent


@dataclass(frozen=True)
class _DisPlan:
    adjacent: DisSettings
    refining: DisSettings
    coarse: DisSettings
    margin: int
    context: int
    search: Search
    edges: bool
    smooth_rules: bool


# benchmarks/RESULTS.md: how these were chosen, and what each step gives.
_DIS_PLANS = {
    "fast": _DisPlan(
        DisSettings(1, 8, 4, 12, 2),
        DisSettings(2, 8, 4, 12, 3),
        DisSettings(1, 8, 4, 8, 3),
        margin=12,
        context=16,
        search=Search(radius=6, step=6),
        edges=False,
        smooth_rules=False,
    ),
    "balanced": _DisPlan(
        DisSettings(0, 8, 4, 12, 2),
        DisSettings(0, 8, 4, 12, 2),
        DisSettings(0, 8, 4, 16, 5),
        margin=16,
        context=32,
        search=BALANCED,
        edges=True,
        smooth_rules=True,
    ),
    "best": _DisPlan(
        DisSettings(0, 8, 3, 25, 2),
        DisSettings(0, 8, 3, 25, 2),
        DisSettings(0, 8, 4, 16, 5),
        margin=16,
        context=32,
        search=Search(),
        edges=True,
        smooth_rules=True,
    ),
}


def motion_estimators(
    backend: str, quality: str, device: torch.device, on_event: OnEvent
) -> MotionEstimators:
    """The estimators of a backend (not auto) at a quality.

    Raises:
        WeightsError: a RAFT whose weights cannot be had.
    """
    if backend != "dis":
        estimator = create_estimator(backend, quality=quality, device=device, on_event=on_event)
        return MotionEstimators(estimator, estimator)
    plan = _DIS_PLANS[quality]
    adjacent = DisEstimator(plan.adjacent)
    return MotionEstimators(
        adjacent,
        # The same object where it can be: each holds some 60 MB a thread at 854x480.
        adjacent if plan.refining == plan.adjacent else DisEstimator(plan.refining),
        DisEstimator(plan.coarse),
        margin=plan.margin,
        context=plan.context,
    )


def warp_method(quality: str) -> Method:
    """The generator of `--method warp`."""
    plan = _DIS_PLANS[quality]
    return WarpMethod(plan.search, edges=plan.edges)


def is_smoothed(generator: Method, quality: str) -> bool:
    """Whether neighbours steady its labels (`ops.temporal_smoothing`).

    Never those of the paper's network, which stay as they are. `fast` leaves it out for rules alone, which it
    would slow down by an eighth; beside a network's time it is nothing.
    """
    is_learned = not isinstance(generator, WarpMethod)
    return not generator.whole_frames and (is_learned or _DIS_PLANS[quality].smooth_rules)
