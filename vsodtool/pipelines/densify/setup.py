"""Options of `pseudolabel` -> the estimators, the generators and the ways to fill intervals of a run."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import torch

from vsodtool.config import PseudoLabelConfig, candidate_methods, resolve_flow
from vsodtool.errors import ConfigError
from vsodtool.models.flow.registry import create_estimator
from vsodtool.pipelines.densify.fill import FillInterval, densify_interval, densify_with_each
from vsodtool.pipelines.densify.interval import Interval
from vsodtool.pipelines.densify.label import DenseFrame
from vsodtool.pipelines.densify.method import Method
from vsodtool.pipelines.densify.motion import MotionEstimators
from vsodtool.pipelines.densify.quality import is_smoothed, motion_estimators, warp_method
from vsodtool.pipelines.densify.side_by_side import Workers
from vsodtool.pipelines.densify.trial import TryInterval
from vsodtool.types import Event, FlowEstimator, OnEvent

if TYPE_CHECKING:  # networks bring torchvision, which warp does not need: 160 MB and a second
    from vsodtool.models.evidence.network import EvidenceNet
    from vsodtool.pipelines.networks.load import LoadedNetwork


ADAPTED = "adapted"  # the method whose network was fine-tuned on the video's own labels


@dataclass(frozen=True)
class Adapting:
    """What is needed to fine-tune the densifier on a video.

    Attributes:
        network: as loaded; to be copied.
        plan: the flow estimators.
        carrying: the methods that the adapted one competes with, by name, the default first.
        device: that computes.
        rules: see `LearnedMethod`.
        quality: of the run.
    """

    network: EvidenceNet
    plan: MotionEstimators
    carrying: Mapping[str, Method]
    device: torch.device
    rules: Method
    quality: str


@dataclass(frozen=True)
class Candidates:
    """How a run makes labels.

    Attributes:
        fills: ways to fill an interval by name, the default first; of several, one is chosen for each video.
        trials: together they try all of these ways on one frame; empty where there is one way only.
        flow: names of the flow estimators, for people.
        adapting: None where nothing is fine-tuned.
    """

    fills: dict[str, FillInterval]
    trials: list[TryInterval]
    flow: str
    adapting: Adapting | None = None

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
    from vsodtool.models.evidence.architecture import DENSIFIER
    from vsodtool.pipelines.networks.load import load_network

    loaded = load_network(config.weights, (DENSIFIER, FGPLG))
    for line in loaded.notices:
        on_event(Event("notice", message=line))
    return loaded


def create_candidates(
    config: PseudoLabelConfig,
    loaded: LoadedNetwork | None,
    *,
    backend: str,
    device: torch.device,
    estimator: FlowEstimator | None = None,
    generators: Sequence[Method] = (),
    on_event: OnEvent,
) -> Candidates:
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
        ConfigError: `--flow direct` or `--adapt`, which these weights cannot do.
        WeightsError: a RAFT whose weights cannot be had.
    """
    carrying = {generator.name: generator for generator in generators}
    names = list(carrying) or list(candidate_methods(config))
    fills: dict[str, FillInterval] = {}
    trials: list[TryInterval] = []
    flows: list[str] = []
    adaptable = _adaptable(config, loaded)
    for name in names if not generators else ():
        if name == "warp":
            carrying[name] = warp_method(config.quality)
            continue
        assert loaded is not None
        if resolve_flow(config) == "composed":
            carrying[name] = method_of_network(loaded, config.quality, device)
        else:
            flow = estimator or create_estimator(
                backend, quality=config.quality, device=device, on_event=on_event
            )
            fills[name] = _fgplg_directly(loaded, device, flow)
            trials.append(_alone(name, fills[name]))
            flows.append(f"direct {flow.name}")
    adapting = None
    if carrying:
        plan = (
            MotionEstimators(estimator, estimator)
            if estimator is not None
            else motion_estimators(backend, config.quality, device, on_event)
        )
        fills.update(_fills(carrying, plan, config.quality))
        trials += _trials(carrying, plan)
        flows.append(plan.name)
        if adaptable is not None:
            adapting = Adapting(
                adaptable,
                plan,
                carrying,
                device,
                rules=warp_method(config.quality),
                quality=config.quality,
            )
    ordered = {name: fills[name] for name in names}
    return Candidates(ordered, trials if len(names) > 1 else [], "; ".join(flows), adapting)


def with_adapted(way: Candidates, network: EvidenceNet) -> Candidates:
    """The same methods and, as another candidate, the densifier with weights of one video."""
    from vsodtool.models.evidence.densifier import EvidenceDensifier
    from vsodtool.pipelines.densify.learned import LearnedMethod

    adapting = way.adapting
    assert adapting is not None
    densifier = EvidenceDensifier(network, device=adapting.device)
    generator = LearnedMethod(densifier, adapting.rules, ADAPTED, mirrored=adapting.quality == "best")
    carrying = {**adapting.carrying, ADAPTED: generator}
    fills = _fills(carrying, adapting.plan, adapting.quality)
    return replace(way, fills=fills, trials=_trials(carrying, adapting.plan))


def _adaptable(config: PseudoLabelConfig, loaded: LoadedNetwork | None) -> EvidenceNet | None:
    """A copy of the network to be fine-tuned: that of the run is folded for speed.

    Raises:
        ConfigError: the network is not one that can be.
    """
    if not config.adapt or loaded is None:
        return None
    from vsodtool.models.evidence.network import EvidenceNet

    if not isinstance(loaded.network, EvidenceNet):
        raise ConfigError(
            f"adapt: {loaded.name} is the paper's FGPLG, which is used as it is",
            "leave out --adapt, or leave out --weights",
        )
    return copy.deepcopy(loaded.network)


def _fills(carrying: Mapping[str, Method], plan: MotionEstimators, quality: str) -> dict[str, FillInterval]:
    return {
        name: partial(
            densify_interval,
            plan=plan,
            generator=generator,
            smooth=is_smoothed(generator, quality),
        )
        for name, generator in carrying.items()
    }


def _trials(carrying: Mapping[str, Method], plan: MotionEstimators) -> list[TryInterval]:
    """Evidence is shared by those that ask for the same: each is tried on what it will work with."""
    groups = (
        [each for each in carrying.values() if each.whole_frames is whole_frames]
        for whole_frames in (False, True)
    )
    return [partial(densify_with_each, plan=plan, generators=alike) for alike in groups if alike]


def _fgplg_directly(loaded: LoadedNetwork, device: torch.device, estimator: FlowEstimator) -> FillInterval:
    from vsodtool.models.paper.densifier import FgplgDensifier
    from vsodtool.models.rcrnet.network import RcrNet
    from vsodtool.pipelines.densify.paper import densify_directly

    if not isinstance(loaded.network, RcrNet):
        raise ConfigError(
            f"flow: 'direct' is the way of the paper's FGPLG, but {loaded.name} is vsodtool's own densifier",
            "leave out --flow, or name weights of FGPLG with --weights",
        )
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
        job: Interval,
        *,
        workers: Workers,
        on_frame: Callable[[str, DenseFrame], None],
        cancelled: Callable[[], bool],
    ) -> None:
        fill(job, workers=workers, on_frame=partial(on_frame, name), cancelled=cancelled)

    return attempt


def method_of_network(loaded: LoadedNetwork, quality: str, device: torch.device) -> Method:
    """The generator that a network is the heart of: the paper's, or vsodtool's own."""
    from vsodtool.models.evidence.densifier import EvidenceDensifier
    from vsodtool.models.evidence.network import EvidenceNet
    from vsodtool.models.paper.densifier import FgplgDensifier
    from vsodtool.pipelines.densify.learned import LearnedMethod
    from vsodtool.pipelines.densify.paper import PaperMethod

    if isinstance(loaded.network, EvidenceNet):
        densifier = EvidenceDensifier(loaded.network, device=device)
        return LearnedMethod(densifier, warp_method(quality), mirrored=quality == "best")
    return PaperMethod(FgplgDensifier(loaded.network, loaded.preprocessing, device=device, precision="auto"))
