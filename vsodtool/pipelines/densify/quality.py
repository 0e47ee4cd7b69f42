"""What --quality means: settings of the flow and of the rules."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from vsodtool.models.flow.by_patches import ByPatches
from vsodtool.models.flow.dis import DisSettings
from vsodtool.models.flow.registry import create_estimator
from vsodtool.native.inverse_search import SearchSettings
from vsodtool.native.library import library
from vsodtool.ops.labels.matching import BALANCED, Search
from vsodtool.pipelines.densify.method import Method, MethodSetup, WarpMethod
from vsodtool.pipelines.densify.motion import MotionEstimators
from vsodtool.types import Event, OnEvent


@dataclass(frozen=True)
class _Settings:
    adjacent: ByPatches
    refining: ByPatches
    coarse: ByPatches
    margin: int
    context: int
    search: Search
    edges: bool
    between: ByPatches | None = None


# benchmarks/TRIED.md, "A flow of our own" and "Faster labels": how these were chosen, what each step gives.
_FINE = ByPatches(SearchSettings(0, 3, 3, 1), DisSettings(0, 8, 4, 12, 2))
_COARSE = ByPatches(SearchSettings(1, 4, 3, 1), DisSettings(0, 8, 4, 16, 5))
_FINEST = ByPatches(SearchSettings(0, 3, 3, 2), DisSettings(0, 8, 3, 25, 2))
_SETTINGS = {
    "fast": _Settings(
        ByPatches(SearchSettings(1, 4, 3, 1), DisSettings(1, 8, 4, 12, 2)),
        ByPatches(SearchSettings(1, 4, 3, 1), DisSettings(2, 8, 4, 12, 3)),
        ByPatches(SearchSettings(1, 4, 3, 1), DisSettings(1, 8, 4, 8, 3)),
        margin=12,
        context=16,
        search=Search(radius=6, step=6),
        edges=False,
        between=_FINE,
    ),
    "balanced": _Settings(
        _FINE,
        ByPatches(SearchSettings(0, 4, 3, 1), DisSettings(0, 8, 4, 12, 2)),
        _COARSE,
        margin=16,
        context=16,
        search=BALANCED,
        edges=True,
    ),
    "best": _Settings(
        _FINEST,
        _FINEST,
        _COARSE,
        margin=16,
        context=32,
        search=Search(),
        edges=True,
    ),
}
_UNCOMPILED = (
    "flow: by OpenCV, which takes twice as long as what vsodtool compiles where a C compiler is at hand; "
    "`python -m vsodtool.native.build` compiles it now"
)


def motion_estimators(
    backend: str, quality: str, device: torch.device, on_event: OnEvent
) -> MotionEstimators:
    """The estimators of a backend (not auto) at a quality.

    Args:
        backend: of the flow.
        quality: fast, balanced or best.
        device: that computes.
        on_event: hears of weights that are fetched, and where nothing was compiled.

    Raises:
        WeightsError: a RAFT whose weights cannot be had.
    """
    if backend != "dis":
        estimator = create_estimator(backend, quality=quality, device=device, on_event=on_event)
        return MotionEstimators(estimator, estimator, device=device)
    if library() is None:
        on_event(Event("notice", message=_UNCOMPILED))
    settings = _SETTINGS[quality]
    return MotionEstimators(
        settings.adjacent.estimator(),
        settings.refining.estimator(),
        settings.coarse.estimator(),
        between=None if settings.between is None else settings.between.estimator(),
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
