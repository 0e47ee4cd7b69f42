"""What --quality means: settings of the flow and of the rules."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from vsodtool.models.flow.dis import DisEstimator, DisSettings
from vsodtool.models.flow.inverse_search import InverseSearchEstimator
from vsodtool.models.flow.registry import create_estimator
from vsodtool.native.library import SearchSettings, library
from vsodtool.ops.labels.matching import BALANCED, Search
from vsodtool.pipelines.densify.method import Method, MethodSetup, WarpMethod
from vsodtool.pipelines.densify.motion import MotionEstimators
from vsodtool.types import Event, FlowEstimator, OnEvent


@dataclass(frozen=True)
class _Flow:
    """What a flow is estimated with: vsodtool's own loops, and OpenCV's where these were not compiled."""

    own: SearchSettings
    opencv: DisSettings

    def estimator(self) -> FlowEstimator:
        compiled = library()
        return DisEstimator(self.opencv) if compiled is None else InverseSearchEstimator(compiled, self.own)


@dataclass(frozen=True)
class _Settings:
    adjacent: _Flow
    refining: _Flow
    coarse: _Flow
    margin: int
    context: int
    search: Search
    edges: bool


_FINE = _Flow(SearchSettings(0, 4, 3, 2), DisSettings(0, 8, 4, 12, 2))
_FINEST = _Flow(SearchSettings(0, 3, 3, 3), DisSettings(0, 8, 3, 25, 2))
_COARSE = _Flow(SearchSettings(0, 4, 3, 3), DisSettings(0, 8, 4, 16, 5))

# benchmarks/TRIED.md: how these were chosen, and what each step gives.
_SETTINGS = {
    "fast": _Settings(
        _Flow(SearchSettings(1, 4, 3, 2), DisSettings(1, 8, 4, 12, 2)),
        _Flow(SearchSettings(1, 4, 3, 2), DisSettings(2, 8, 4, 12, 3)),
        _Flow(SearchSettings(1, 4, 3, 2), DisSettings(1, 8, 4, 8, 3)),
        margin=12,
        context=16,
        search=Search(radius=6, step=6),
        edges=False,
    ),
    "balanced": _Settings(
        _FINE,
        _FINE,
        _COARSE,
        margin=16,
        context=32,
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
    if library() is None:
        on_event(Event("notice", message=_UNCOMPILED))
    settings = _SETTINGS[quality]
    return MotionEstimators(
        (_FINE if thinned else settings.adjacent).estimator(),
        settings.refining.estimator(),
        settings.coarse.estimator(),
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
