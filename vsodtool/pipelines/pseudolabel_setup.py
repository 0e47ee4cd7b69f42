"""Options of `pseudolabel` -> the estimators, the generators and the ways to fill intervals of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch

from vsodtool.config.schema import PseudoLabelConfig, candidate_methods, resolve_flow
from vsodtool.models.flow.dis import DisEstimator, DisSettings
from vsodtool.models.flow.registry import create_estimator
from vsodtool.ops.matching import Search
from vsodtool.pipelines.densify import DenseFrame, FillInterval, densify_interval, densify_with_each
from vsodtool.pipelines.generator import Generator, WarpGenerator
from vsodtool.pipelines.interval import IntervalJob, Workers
from vsodtool.pipelines.method_trial import TryInterval
from vsodtool.pipelines.motion import MotionPlan
from vsodtool.types import Event, FlowEstimator, OnEvent

if TYPE_CHECKING:  # networks bring torchvision, which warp does not need: 160 MB and a second
    from vsodtool.pipelines.load_network import LoadedNetwork


@dataclass(frozen=True)
class _DisPlan:
    adjacent: DisSettings
    refining: DisSettings
    coarse: DisSettings
    margin: int
    context: int
    search: Search
    edges: bool


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
    ),
    "balanced": _DisPlan(
        DisSettings(0, 8, 4, 12, 2),
        DisSettings(0, 8, 4, 12, 2),
        DisSettings(0, 8, 4, 16, 5),
        margin=16,
        context=32,
        search=Search(step=4, radius=8),
        edges=True,
    ),
    "best": _DisPlan(
        DisSettings(0, 8, 3, 25, 2),
        DisSettings(0, 8, 3, 25, 2),
        DisSettings(0, 8, 4, 16, 5),
        margin=16,
        context=32,
        search=Search(),
        edges=True,
    ),
}


@dataclass(frozen=True)
class Method:
    """How a run makes labels.

    Attributes:
        fills: ways to fill an interval by name, the default first; of several, one is chosen for each video.
        trials: together they try all of these ways on one frame; empty where there is one way only.
        flow: names of the flow estimators, for people.
    """

    fills: dict[str, FillInterval]
    trials: list[TryInterval]
    flow: str

    @property
    def names(self) -> list[str]:
        """The candidates, the default first."""
        return list(self.fills)


def load_weights(config: PseudoLabelConfig, on_event: OnEvent) -> LoadedNetwork | None:
    """The weights that the methods in `config` need, None if they need none.

    Raises:
        WeightsError: they cannot be had, are damaged or of another network.
    """
    if "fgplg" not in candidate_methods(config):
        return None
    from vsodtool.models.architecture import FGPLG
    from vsodtool.pipelines.load_network import load_network

    loaded = load_network(config.weights, (FGPLG,))
    for line in loaded.notices:
        on_event(Event("notice", message=line))
    return loaded


def create_method(
    config: PseudoLabelConfig,
    loaded: LoadedNetwork | None,
    *,
    backend: str,
    device: torch.device,
    estimator: FlowEstimator | None = None,
    generators: Sequence[Generator] = (),
    on_event: OnEvent,
) -> Method:
    """What `config` asks for.

    Args:
        config: the options.
        loaded: what `load_weights` gave; its network is taken over.
        backend: of the flow, not auto.
        device: that computes.
        estimator: used for all flows instead of the backend.
        generators: used instead of the methods that `config` names, the default first.
        on_event: hears of downloads.

    Raises:
        WeightsError: a RAFT whose weights cannot be had.
    """
    carrying = {generator.name: generator for generator in generators}
    names = list(carrying) or list(candidate_methods(config))
    fills: dict[str, FillInterval] = {}
    trials: list[TryInterval] = []
    flows: list[str] = []
    for name in names if not generators else ():
        if name == "warp":
            carrying[name] = create_generator(config.quality)
        elif resolve_flow(config) == "composed":
            carrying[name] = _fgplg(loaded, device)
        else:
            flow = estimator or create_estimator(
                backend, quality=config.quality, device=device, on_event=on_event
            )
            fills[name] = _fgplg_directly(loaded, device, flow)
            trials.append(_alone(name, fills[name]))
            flows.append(f"direct {flow.name}")
    if carrying:
        plan = (
            MotionPlan(estimator, estimator)
            if estimator is not None
            else motion_plan(backend, config.quality, device, on_event)
        )
        for name, generator in carrying.items():
            fills[name] = partial(densify_interval, plan=plan, generator=generator)
        # Evidence is shared by those that ask for the same: each is tried on what it will work with.
        for whole_frames in (False, True):
            alike = [each for each in carrying.values() if each.whole_frames is whole_frames]
            if alike:
                trials.append(partial(densify_with_each, plan=plan, generators=alike))
        flows.append(plan.name)
    return Method({name: fills[name] for name in names}, trials if len(names) > 1 else [], "; ".join(flows))


def _fgplg(loaded: LoadedNetwork | None, device: torch.device) -> Generator:
    from vsodtool.models.densifier import FgplgDensifier
    from vsodtool.pipelines.fgplg_generator import FgplgGenerator

    assert loaded is not None
    return FgplgGenerator(FgplgDensifier(loaded.network, loaded.preprocessing, device=device))


def _fgplg_directly(
    loaded: LoadedNetwork | None, device: torch.device, estimator: FlowEstimator
) -> FillInterval:
    from vsodtool.models.densifier import FgplgDensifier
    from vsodtool.pipelines.direct import densify_directly

    assert loaded is not None
    densifier = FgplgDensifier(
        loaded.network,
        loaded.preprocessing,
        device=device,
        precision="fp32",  # the paper to the last digit
    )
    return partial(densify_directly, estimator=estimator, densifier=densifier)


def _alone(name: str, fill: FillInterval) -> TryInterval:
    """A trial of one way to fill intervals."""

    def attempt(
        job: IntervalJob,
        *,
        workers: Workers,
        on_frame: Callable[[str, DenseFrame], None],
        cancelled: Callable[[], bool],
    ) -> None:
        fill(job, workers=workers, on_frame=partial(on_frame, name), cancelled=cancelled)

    return attempt


def motion_plan(backend: str, quality: str, device: torch.device, on_event: OnEvent) -> MotionPlan:
    """The estimators of a backend (not auto) at a quality.

    Raises:
        WeightsError: a RAFT whose weights cannot be had.
    """
    if backend != "dis":
        estimator = create_estimator(backend, quality=quality, device=device, on_event=on_event)
        return MotionPlan(estimator, estimator)
    plan = _DIS_PLANS[quality]
    adjacent = DisEstimator(plan.adjacent)
    return MotionPlan(
        adjacent,
        # The same object where it can be: each holds some 60 MB a thread at 854x480.
        adjacent if plan.refining == plan.adjacent else DisEstimator(plan.refining),
        DisEstimator(plan.coarse),
        margin=plan.margin,
        context=plan.context,
    )


def create_generator(quality: str) -> Generator:
    """The generator of `--method warp`."""
    plan = _DIS_PLANS[quality]
    return WarpGenerator(plan.search, edges=plan.edges)
