"""Options of `pseudolabel` -> the estimators, the generator and the way to fill intervals that a run uses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch

from vsodtool.config.schema import PseudoLabelConfig, resolve_flow, resolve_method
from vsodtool.models.flow.dis import DisEstimator, DisSettings
from vsodtool.models.flow.registry import create_estimator
from vsodtool.ops.matching import Search
from vsodtool.pipelines.densify import FillInterval, densify_interval
from vsodtool.pipelines.generator import Generator, WarpGenerator
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
        fill: fills an interval.
        flow: names of the flow estimators, for people.
    """

    fill: FillInterval
    flow: str


def load_weights(config: PseudoLabelConfig, on_event: OnEvent) -> LoadedNetwork | None:
    """The weights that the method in `config` needs, None if it needs none.

    Raises:
        WeightsError: they cannot be had, are damaged or of another network.
    """
    if resolve_method(config) != "fgplg":
        return None
    from vsodtool.models.architecture import FGPLG
    from vsodtool.models.evidence_architecture import DENSIFIER
    from vsodtool.pipelines.load_network import load_network

    loaded = load_network(config.weights, (DENSIFIER, FGPLG))
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
    generator: Generator | None = None,
    on_event: OnEvent,
) -> Method:
    """What `config` asks for.

    Args:
        config: the options.
        loaded: what `load_weights` gave; its network is taken over.
        backend: of the flow, not auto.
        device: that computes.
        estimator: used for all flows instead of the backend.
        generator: used instead of the method that `config` names.
        on_event: hears of downloads.

    Raises:
        WeightsError: a RAFT whose weights cannot be had.
    """
    if generator is None and loaded is not None:
        from vsodtool.models.rcrnet import RcrNet

        if isinstance(loaded.network, RcrNet) and resolve_flow(config) == "direct":
            flow = estimator or create_estimator(
                backend, quality=config.quality, device=device, on_event=on_event
            )
            return _direct(loaded, flow, device)
        generator = learned_generator(loaded, device)
    plan = (
        MotionPlan(estimator, estimator)
        if estimator is not None
        else motion_plan(backend, config.quality, device, on_event)
    )
    fill = partial(densify_interval, plan=plan, generator=generator or create_generator(config.quality))
    return Method(fill, plan.name)


def learned_generator(loaded: LoadedNetwork, device: torch.device) -> Generator:
    """The generator that a network is the heart of: the paper's, or vsodtool's own."""
    from vsodtool.models.densifier import FgplgDensifier
    from vsodtool.models.evidence_densifier import EvidenceDensifier
    from vsodtool.models.evidence_net import EvidenceNet
    from vsodtool.pipelines.evidence_generator import EvidenceGenerator
    from vsodtool.pipelines.fgplg_generator import FgplgGenerator

    if isinstance(loaded.network, EvidenceNet):
        return EvidenceGenerator(EvidenceDensifier(loaded.network, device=device))
    return FgplgGenerator(
        FgplgDensifier(loaded.network, loaded.preprocessing, device=device, precision="auto")
    )


def _direct(loaded: LoadedNetwork, flow: FlowEstimator, device: torch.device) -> Method:
    """The paper, to the last digit."""
    from vsodtool.models.densifier import FgplgDensifier
    from vsodtool.models.rcrnet import RcrNet
    from vsodtool.pipelines.direct import densify_directly

    assert isinstance(loaded.network, RcrNet)
    densifier = FgplgDensifier(loaded.network, loaded.preprocessing, device=device, precision="fp32")
    return Method(partial(densify_directly, estimator=flow, densifier=densifier), f"direct {flow.name}")


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
