"""What turns the evidence about one frame into its label: the part that methods differ in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

import torch

from vsodtool.config.methods import METHODS
from vsodtool.ops.confidence import trust
from vsodtool.ops.labels.matching import Search
from vsodtool.ops.labels.rules import label_by_rules
from vsodtool.pipelines.densify.filling.evidence import Evidence
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.interval import Interval
from vsodtool.pipelines.densify.side_by_side import Workers
from vsodtool.pipelines.networks.foreign import Foreign
from vsodtool.types import FlowEstimator

if TYPE_CHECKING:  # networks bring torchvision, which warp does not need: 160 MB and a second
    from vsodtool.pipelines.networks.load import LoadedNetwork


class Wants(StrEnum):
    """What a method is shown of a target frame."""

    BOXES = "boxes"  # both sides, on a box that holds the objects
    FRAMES = "frames"  # both sides, on the whole frame, with flows
    LABELS = "labels"  # the labelled frames as they are: it finds its own way to them
    INTERVAL = "interval"  # the whole interval: it walks through the frames itself


class _Named(Protocol):
    """What is known of any method."""

    @property
    def name(self) -> str:
        """As written into manifests."""
        ...

    @property
    def wants(self) -> Wants:
        """What evidence it asks for."""
        ...


@runtime_checkable
class FrameMethod(_Named, Protocol):
    """A method that makes each label by itself."""

    def generate(self, evidence: Evidence) -> SoftLabel:
        """The label of one frame, by `evidence.answer`; must be callable from several threads at once."""
        ...


@runtime_checkable
class JoiningMethod(FrameMethod, Protocol):
    """A method that is faster where it makes the labels of several groups of objects together."""

    def generate_together(self, evidences: Sequence[Evidence]) -> list[SoftLabel]:
        """The labels of what is known of several groups of objects in one frame, in order."""
        ...


def generate_all(method: FrameMethod, evidences: Sequence[Evidence]) -> list[SoftLabel]:
    """What a method makes of several groups of objects in one frame, in order."""
    if isinstance(method, JoiningMethod):
        return method.generate_together(evidences)
    return [method.generate(evidence) for evidence in evidences]


@runtime_checkable
class WalkingMethod(_Named, Protocol):
    """A method with a memory, that goes from frame to frame."""

    def walk(
        self,
        interval: Interval,
        workers: Workers,
        on_label: Callable[[SoftLabel], None],
        on_seen: Callable[[int], None],
    ) -> None:
        """Fill every target of an interval.

        Args:
            interval: to be filled, with its labels on the device of the run.
            workers: do the heavy pieces; once they are cancelled, the rest is left undone.
            on_label: takes each finished label; called from several threads, in no particular order.
            on_seen: told of how many more frames the first of two labels has come to.
        """
        ...


Method: TypeAlias = FrameMethod | WalkingMethod  # one way to densify


@dataclass(frozen=True)
class MethodSetup:
    """What a method may be made of.

    Attributes:
        name: of its line in `config.methods.METHODS`.
        quality: fast, balanced or best.
        flow: to the labelled frames: composed, or direct as in the paper.
        device: that computes.
        loaded: the weights that its line asks for.
        direct_flow: gives an estimator of flow straight to the labelled frames.
        foreign: the network that its line asks for, where that is of another library.
    """

    name: str
    quality: str
    flow: str
    device: torch.device
    loaded: LoadedNetwork | None
    direct_flow: Callable[[], FlowEstimator]
    foreign: Foreign | None = None


def create_method(setup: MethodSetup) -> Method:
    """The method of a line of the table."""
    module, function = METHODS[setup.name].make.split(":")
    method: Method = getattr(import_module(module), function)(setup)
    return method


def is_smoothed(method: Method, quality: str) -> bool:
    """Whether neighbours steady its labels (`ops.temporal_smoothing`), never those of whole frames.

    What is not in the table, as an adapted network, is smoothed at every quality.
    """
    line = METHODS.get(method.name)
    return method.wants is Wants.BOXES and (line is None or quality in line.smoothed)


def thinned_gaps(method: Method, quality: str) -> range:
    """Frames from one label to the next between which it makes every second one only, see `densify`.

    What is not in the table, as an adapted network, makes all of them.
    """
    line = METHODS.get(method.name)
    if line is None or method.wants is not Wants.BOXES:
        return range(0)
    return line.thinned.get(quality, range(0))


# Chosen on videos of davis-train: benchmarks/TRIED.md, "Confidence of warp".
_OF_FRAME = 0.1


class WarpMethod:
    """`--method warp`: fusion of warped labels, a search for better matches, borders pulled to edges.

    No learned weights.
    """

    name = "warp"
    wants = Wants.BOXES

    def __init__(self, search: Search | None = None, *, edges: bool = False) -> None:
        """Choose what follows the fusion.

        Args:
            search: where to look for better matches; None does not.
            edges: pull borders to the edges of the image.
        """
        self._search, self._edges = search, edges

    def generate(self, evidence: Evidence) -> SoftLabel:
        """Fuse all that came from both sides, and settle what is left in doubt by looking around."""
        found = label_by_rules(
            evidence.image,
            evidence.labels,
            evidence.views,
            evidence.consistency,
            search=self._search,
            edges=self._edges,
        )
        one_sided = len(evidence.sides) == 1
        sure = trust(found.support, one_sided=one_sided)
        return evidence.answer(found.labels, sure, of_frame=_OF_FRAME)
