"""Options of `pseudolabel` -> what a run will use -> its methods, and the estimators of their flow."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import torch

from vsodtool.checks import resolve_device
from vsodtool.config import PseudoLabelConfig, candidate_methods, resolve_label_flow
from vsodtool.config.methods import AUTO, METHODS, kinds_of_weights
from vsodtool.errors import ConfigError
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.manifest import read_manifest
from vsodtool.models.architecture import FUSED
from vsodtool.models.evidence.architecture import DENSIFIER
from vsodtool.models.flow.registry import create_estimator, resolve_backend, weight_digests
from vsodtool.pipelines.densify.filling.cleaning import clean
from vsodtool.pipelines.densify.filling.far import Follows, Tracked, doubt, is_far, is_worth_following, settle
from vsodtool.pipelines.densify.filling.fill import Finish, densify
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.interval import Interval
from vsodtool.pipelines.densify.method import (
    FrameMethod,
    Method,
    MethodSetup,
    Wants,
    create_method,
    is_smoothed,
    thinned_gaps,
)
from vsodtool.pipelines.densify.methods.by_object import MethodByObject
from vsodtool.pipelines.densify.motion import MotionEstimators, TriedFlows
from vsodtool.pipelines.densify.quality import motion_estimators, rules
from vsodtool.pipelines.densify.remembered import Remembered
from vsodtool.pipelines.densify.side_by_side import Workers
from vsodtool.pipelines.densify.working_size import LINES
from vsodtool.pipelines.networks.foreign import Foreign, Request, load_foreign
from vsodtool.types import Event, FlowEstimator, MethodChoice, OnEvent

if TYPE_CHECKING:  # networks bring torchvision, which warp does not need: 160 MB and a second
    from vsodtool.models.evidence.network import EvidenceNet
    from vsodtool.pipelines.networks.load import LoadedNetwork


@dataclass(frozen=True)
class Candidates:
    """The methods of a run; of several, one is chosen for each video.

    Attributes:
        methods: by name, the default first.
        estimators: of the motion that they share.
        quality: fast, balanced or best.
        flow: names of the flow estimators, for people.
        tracker: has a say far from masks; None: has none.
        min_part: pixels of the smallest part of an object; 0 lets the given masks decide.
    """

    methods: dict[str, Method]
    estimators: MotionEstimators
    quality: str
    flow: str
    tracker: Follows | None = None
    min_part: int = 0

    @property
    def names(self) -> list[str]:
        """The candidates, the default first."""
        return list(self.methods)

    @property
    def rules(self) -> FrameMethod:
        """What makes the first guess that a network corrects."""
        return rules(self.quality)

    def chosen(self, choice: MethodChoice, object_ids: Sequence[int]) -> Method:
        """The method of a video, which may be one for each of its objects.

        Args:
            choice: of these methods.
            object_ids: of the video, by channel.
        """
        of_objects = [self.methods[choice.of(number)] for number in object_ids]
        if len(choice.methods) == 1:
            return of_objects[0]
        by_frame = [each for each in of_objects if isinstance(each, FrameMethod)]
        assert len(by_frame) == len(of_objects)  # the others are never chosen for an object
        return MethodByObject(choice.method, by_frame)

    def fill(
        self,
        method: Method,
        interval: Interval,
        *,
        workers: Workers,
        on_label: Callable[[SoftLabel], None],
        on_seen: Callable[[int], None] = lambda _: None,
        on_tracked: Callable[[float], None] = lambda _: None,
    ) -> None:
        """Fill an interval with one of the methods, or several of them, see `densify`; `Follows.follow`."""
        tracker = self.tracker if self.follows(method) and is_far(interval) else None
        # Between two masks few labels can be changed by what is followed, so the labels come first.
        later = tracker is not None and len(interval.labelled) == 2 and not interval.frames.is_long
        tracked: Mapping[int, Tracked] = {}
        if tracker is not None and not later:
            tracked = tracker.follow(interval, workers, on_tracked)
        waiting: list[SoftLabel] = []
        doubts: list[float] = []

        def finish(label: SoftLabel) -> None:
            known = tracked.get(label.index)
            if known is not None:
                label = clean(interval, settle(interval, label, known), self.min_part)
            on_label(label)

        def made(_: str, label: SoftLabel) -> None:
            doubted = 0.0 if tracker is None else doubt(interval, label)
            if not doubted:
                on_label(label)
            elif later:
                waiting.append(label)
                doubts.append(doubted)
            else:
                finish(label)

        densify(
            interval,
            [method],
            self.flow_of([method]),
            workers=workers,
            on_label=made,
            finish=Finish(
                smooth=is_smoothed(method, self.quality),
                thinned=thinned_gaps(method, self.quality),
                min_part=self.min_part,
                lines=LINES,
            ),
            on_seen=on_seen,
        )
        if tracker is not None and later and not workers.cancelled():
            if waiting and is_worth_following(interval, doubts):
                tracked = tracker.follow(interval, workers, on_tracked)
            else:
                on_tracked(1.0)  # as it was planned
            if not workers.cancelled():
                workers.map(finish, waiting)

    def flow_of(self, methods: Iterable[Method]) -> MotionEstimators:
        """The estimators for some of the methods, whatever others are at hand."""
        thinned = any(thinned_gaps(method, self.quality) for method in methods)
        return self.estimators.fine_between() if thinned else self.estimators

    def follows(self, method: Method) -> bool:
        """Whether objects are followed far from masks beside this method: others find their own way."""
        return self.tracker is not None and method.wants is Wants.BOXES

    def tracked_by(self, tracker: Follows) -> Candidates:
        """The same methods, with a tracker far from masks."""
        return replace(self, tracker=tracker)

    def remembering(self, remembered: Remembered) -> Candidates:
        """The same methods, with flows and sides kept for later runs."""
        return replace(self, estimators=self.estimators.remembering(remembered))

    def leaving(self, flows: TriedFlows) -> Candidates:
        """The same methods, in a trial that leaves coarse flows of a video."""
        return replace(self, estimators=replace(self.estimators, leave=flows))

    def after(self, flows: TriedFlows) -> Candidates:
        """The same methods, for that video, once they were tried."""
        return replace(self, estimators=replace(self.estimators, left=flows))

    def beside(self, method: Method) -> Candidates:
        """The same methods and one more."""
        return replace(self, methods={**self.methods, method.name: method})


@dataclass(frozen=True)
class Setup:
    """What a run will use, known before anything of it is made.

    Attributes:
        config: the options.
        names: of the methods, the default first.
        device: that computes.
        backend: of the flow, not auto.
        weights: SHA-256 of all that is read, by name.
        loaded: the weights of a network; None where no method needs one.
        adaptable: that network as loaded, to be fine-tuned on each video; None where nothing is.
        tracking: names of the weights whose backbone the tracker looks through, and of the detector that it
            asks; () where nothing is tracked.
        estimator: the caller's, used for all flows instead of the backend.
        methods: the caller's, used instead of those that `config` names.
        foreign: networks of other libraries, by the method that needs them; in a dry run one that would have
            to be fetched is missing.
    """

    config: PseudoLabelConfig
    names: list[str]
    device: torch.device
    backend: str
    weights: dict[str, str]
    loaded: LoadedNetwork | None
    adaptable: EvidenceNet | None
    tracking: tuple[str, ...]
    estimator: FlowEstimator | None
    methods: Sequence[Method]
    foreign: Mapping[str, Foreign] = field(default_factory=dict)

    @property
    def uses_flow(self) -> bool:
        """Whether one of its methods looks at motion."""
        return any(name not in METHODS or METHODS[name].uses_flow for name in self.names)

    @property
    def is_whole(self) -> bool:
        """Whether nothing has to be fetched before it can work."""
        fetched = self.estimator is None and self.backend != "dis"
        needed = [name for name in self.names if name in METHODS and METHODS[name].foreign]
        return not fetched and (bool(self.methods) or all(name in self.foreign for name in needed))

    @property
    def method(self) -> str:
        """The method of all videos, "auto" where each gets its own."""
        return self.names[0] if len(self.names) == 1 and not self.config.adapt else "auto"

    @property
    def flow(self) -> str:
        """The backend, or what the caller's estimator is called; "auto" where no method looks at motion."""
        if not self.uses_flow:
            return "auto"
        return self.backend if self.estimator is None else self.estimator.name

    @property
    def resolved(self) -> dict[str, object]:
        """What stands in the manifest for options that leave something open."""
        return {
            "method": self.method,
            "label_flow": resolve_label_flow(self.config),
            "backend": self.flow,
            "device": str(self.device),
        }


def prepare(
    config: PseudoLabelConfig,
    *,
    estimator: FlowEstimator | None,
    methods: Sequence[Method],
    on_event: OnEvent,
) -> Setup:
    """Find and check what `config` asks for; weights are read, and those of flow fetched if there is work.

    Raises:
        ConfigError: `--adapt`, which these weights cannot do.
        WeightsError: weights cannot be had, are damaged or of another network.
        DeviceError: the device does not exist.
    """
    device = resolve_device(config.device)
    foreign = {} if methods else _load_foreign(config, on_event)
    names = [method.name for method in methods] or _at_hand(config, foreign)
    if methods or any(METHODS[name].uses_flow for name in names):
        backend = resolve_backend(config.backend, device, on_event=on_event)
        fetch = estimator is None and not config.dry_run
        weights = weight_digests(backend, fetch=fetch, on_event=on_event)
    else:
        backend, weights = "dis", {}
    weights |= {network.name: network.sha256 for network in foreign.values()}
    kinds = () if methods else kinds_of_weights(config.method)
    loaded, adaptable = None, None
    tracking: tuple[str, ...] = ()
    if kinds:
        from vsodtool.pipelines.networks.load import find_weights, load_network

        theirs = any(network.named for network in foreign.values())
        loaded = load_network("" if theirs else config.weights, kinds)
        for line in loaded.notices:
            on_event(Event("notice", message=line))
        weights[loaded.name] = loaded.sha256
        adaptable = _adaptable(loaded) if config.adapt else None
        if config.track == "auto" and loaded.architecture.kind == DENSIFIER:
            found = [find_weights("", (kind,)) for kind in (DENSIFIER, FUSED)]
            tracking = tuple(name for name, _, _ in found)
            weights |= {name: sha256 for name, _, sha256 in found}
    return Setup(
        config,
        names,
        device,
        backend,
        weights,
        loaded,
        adaptable,
        tracking,
        estimator,
        methods,
        foreign,
    )


def create_candidates(setup: Setup, on_event: OnEvent) -> Candidates:
    """The methods of a run; the loaded network is taken over.

    Raises:
        ConfigError: `--label-flow direct`, which these weights cannot do.
        WeightsError: a RAFT whose weights cannot be had.
    """
    quality, device, backend = setup.config.quality, setup.device, setup.backend
    direct: list[FlowEstimator] = []

    def direct_flow() -> FlowEstimator:
        create = partial(create_estimator, backend, quality=quality, device=device, on_event=on_event)
        direct.append(setup.estimator or create())
        return direct[-1]

    flow = resolve_label_flow(setup.config)
    methods = {method.name: method for method in setup.methods} or {
        name: create_method(
            MethodSetup(name, quality, flow, device, setup.loaded, direct_flow, setup.foreign.get(name))
        )
        for name in setup.names
    }
    flows = [f"direct {each.name}" for each in direct]
    if not setup.uses_flow:
        flows, estimators = ["none"], motion_estimators("dis", quality, device, on_event)
    elif direct and all(method.wants is Wants.LABELS for method in methods.values()):
        estimators = MotionEstimators(direct[0], direct[0], device=device)
    elif setup.estimator is not None:
        estimators = MotionEstimators(setup.estimator, setup.estimator, device=device)
        flows.append(estimators.name)
    else:
        estimators = motion_estimators(backend, quality, device, on_event)
        flows.append(estimators.name)
    return Candidates(methods, estimators, quality, "; ".join(flows), min_part=setup.config.min_part)


def _load_foreign(config: PseudoLabelConfig, on_event: OnEvent) -> dict[str, Foreign]:
    """The networks of other libraries by method, as far as they are wanted or at hand."""
    methods = [name for name in candidate_methods(config) if METHODS[name].foreign]
    if not methods:
        return {}
    begun = None if config.overwrite else read_manifest(OutputLayout(config.output).manifest)
    request = Request(
        weights=config.weights,
        wanted=config.method != AUTO,
        known=None if begun is None else frozenset(begun.weights),
        dry_run=config.dry_run,
        on_event=on_event,
    )
    loaded = {name: load_foreign(name, request) for name in methods}
    return {name: network for name, network in loaded.items() if network is not None}


def _at_hand(config: PseudoLabelConfig, foreign: Mapping[str, Foreign]) -> list[str]:
    """The methods of a run; of those that auto stands for, those that can be made."""
    names = candidate_methods(config)
    return [name for name in names if config.method != AUTO or not METHODS[name].foreign or name in foreign]


def _adaptable(loaded: LoadedNetwork) -> EvidenceNet:
    """A copy of the network to be fine-tuned: that of the run is folded for speed."""
    from vsodtool.models.evidence.network import EvidenceNet

    if not isinstance(loaded.network, EvidenceNet):
        raise ConfigError(
            f"adapt: {loaded.name} is the paper's FGPLG, which is used as it is",
            "leave out --adapt, or leave out --weights",
        )
    return copy.deepcopy(loaded.network)
