"""Options of `pseudolabel` -> the methods of a run, and the estimators of their flow."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import torch

from vsodtool.config import PseudoLabelConfig, candidate_methods, resolve_flow
from vsodtool.config.methods import kinds_of_weights
from vsodtool.errors import ConfigError
from vsodtool.models.flow.registry import create_estimator
from vsodtool.pipelines.densify.fill import densify
from vsodtool.pipelines.densify.interval import Interval
from vsodtool.pipelines.densify.label import SoftLabel
from vsodtool.pipelines.densify.method import Method, MethodSetup, Wants, create_method, is_smoothed
from vsodtool.pipelines.densify.motion import MotionEstimators
from vsodtool.pipelines.densify.quality import motion_estimators, rules
from vsodtool.pipelines.densify.side_by_side import Workers
from vsodtool.types import Event, FlowEstimator, OnEvent

if TYPE_CHECKING:  # networks bring torchvision, which warp does not need: 160 MB and a second
    from vsodtool.models.evidence.network import EvidenceNet
    from vsodtool.pipelines.networks.load import LoadedNetwork


ADAPTED = "adapted"  # the method whose network was fine-tuned on the video's own labels


@dataclass(frozen=True)
class Candidates:
    """The methods of a run; of several, one is chosen for each video.

    Attributes:
        methods: by name, the default first.
        estimators: of the motion that they share.
        quality: fast, balanced or best.
        flow: names of the flow estimators, for people.
        adaptable: the network that is fine-tuned on each video, as loaded; None where nothing is.
    """

    methods: dict[str, Method]
    estimators: MotionEstimators
    quality: str
    flow: str
    adaptable: EvidenceNet | None = None

    @property
    def names(self) -> list[str]:
        """The candidates, the default first."""
        return list(self.methods)

    @property
    def rules(self) -> Method:
        """What makes the first guess that a network corrects."""
        return rules(self.quality)

    def fill(
        self,
        name: str,
        interval: Interval,
        *,
        workers: Workers,
        on_label: Callable[[SoftLabel], None],
        cancelled: Callable[[], bool],
    ) -> None:
        """Fill an interval with one of the methods, see `densify`."""
        densify(
            interval,
            [self.methods[name]],
            self.estimators,
            workers=workers,
            on_label=lambda _, label: on_label(label),
            cancelled=cancelled,
            smooth=is_smoothed(self.methods[name], self.quality),
        )

    def with_adapted(self, network: EvidenceNet) -> Candidates:
        """The same methods and, as another candidate, the densifier with weights of one video."""
        from vsodtool.pipelines.densify.learned import own_method

        adapted = own_method(network, ADAPTED, self.quality, self.estimators.device)
        return replace(self, methods={**self.methods, ADAPTED: adapted})


def load_weights(config: PseudoLabelConfig, on_event: OnEvent) -> LoadedNetwork | None:
    """The weights that the methods in `config` need, None if they need none.

    Raises:
        WeightsError: they cannot be had, are damaged or of another network.
    """
    kinds = kinds_of_weights(config.method)
    if not kinds:
        return None
    from vsodtool.pipelines.networks.load import load_network

    loaded = load_network(config.weights, kinds)
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
    adaptable = _adaptable(config, loaded)
    direct: list[FlowEstimator] = []

    def direct_flow() -> FlowEstimator:
        create = partial(create_estimator, backend, quality=config.quality, device=device, on_event=on_event)
        direct.append(estimator or create())
        return direct[-1]

    methods = {method.name: method for method in generators} or {
        name: create_method(
            MethodSetup(name, config.quality, resolve_flow(config), device, loaded, direct_flow)
        )
        for name in candidate_methods(config)
    }
    flows = [f"direct {each.name}" for each in direct]
    if direct and all(method.wants is Wants.LABELS for method in methods.values()):
        estimators = MotionEstimators(direct[0], direct[0], device=device)
    elif estimator is not None:
        estimators = MotionEstimators(estimator, estimator, device=device)
        flows.append(estimators.name)
    else:
        estimators = motion_estimators(backend, config.quality, device, on_event)
        flows.append(estimators.name)
    return Candidates(methods, estimators, config.quality, "; ".join(flows), adaptable)


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
