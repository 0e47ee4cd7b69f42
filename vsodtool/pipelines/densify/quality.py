"""What --quality means: settings of the flow and of the rules."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from vsodtool.models.flow.dis import DisEstimator, DisSettings
from vsodtool.models.flow.registry import create_estimator
from vsodtool.ops.labels.matching import BALANCED, Search
from vsodtool.pipelines.densify.method import Method, MethodSetup, WarpMethod
from vsodtool.pipelines.densify.motion import MotionEstimators
from vsodtool.types import OnEvent


@dataclass(frozen=True)
class _Settings:
    adjacent: DisSettings
    refining: DisSettings
    coarse: DisSettings
    margin: int
    context: int
    search: Search
    edges: bool


_FINE = DisSettings(0, 8, 4, 12, 2)

# benchmarks/TRIED.md: how these were chosen, and what each step gives.
_SETTINGS = {
    "fast": _Settings(
        DisSettings(1, 8, 4, 12, 2),
        DisSettings(2, 8, 4, 12, 3),
        DisSettings(1, 8, 4, 8, 3),
        margin=12,
        context=16,
        search=Search(radius=6, step=6),
        edges=False,
    ),
    "balanced": _Settings(
        _FINE,
        _FINE,
        DisSettings(0, 8, 4, 16, 5),
        margin=16,
        context=32,
        search=BALANCED,
        edges=True,
    ),
    "best": _Settings(
        DisSettings(0, 8, 3, 25, 2),
        DisSettings(0, 8, 3, 25, 2),
        DisSettings(0, 8, 4, 16, 5),
        margin=16,
        context=32,
        search=Search(),
        edges=True,
    ),
}


def motion_estimators(
    backend: str, quality: str, device: torch.device, on_event: OnEvent, *, thinned: bool = False
) -> MotionEstimators:
    """The estimators of a backend (not auto) at a quality.

    Args:
        backend: of the flow.
        quality: fast, balanced or best.
        device: that computes.
        on_event: hears of weights that are fetched.
        thinned: every second frame is taken from its neighbours, so flow between these has to be fine.

    Raises:
        WeightsError: a RAFT whose weights cannot be had.
    """
    if backend != "dis":
        estimator = create_estimator(backend, quality=quality, device=device, on_event=on_event)
        return MotionEstimators(estimator, estimator, device=device)
    settings = _SETTINGS[quality]
    adjacent = DisEstimator(_FINE if thinned else settings.adjacent)
    return MotionEstimators(
        adjacent,
        # The same object where it can be: each holds some 60 MB a thread at 854x480.
        adjacent if settings.refining == adjacent.settings else DisEstimator(settings.refining),
        DisEstimator(settings.coarse),
        margin=settings.margin,
        context=settings.context,
        device=device,
    )


def rules(quality: str) -> WarpMethod:
    """The rules of `--method warp` at a quality."""
    settings = _SETTINGS[quality]
    return WarpMethod(settings.search, edges=settings.edges)


def warp_method(setup: MethodSetup) -> Method:
    """`--method warp`."""
    return rules(setup.quality)
