"""What turns the evidence about one frame into its soft label: the part that methods differ in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from vsodtool.ops.boxes import Box
from vsodtool.ops.confidence import margin, trust
from vsodtool.ops.fusion import Hypothesis
from vsodtool.ops.matching import Search
from vsodtool.ops.rules import label_by_rules
from vsodtool.pipelines.densify.interval import LabelledFrame
from vsodtool.types import ImageArray


@dataclass(frozen=True)
class Side:
    """What one labelled frame says about a target frame.

    Attributes:
        known: the labelled frame.
        distance: in frames, at least 1.
        carried: the label carried along adjacent flows.
        refined: the label warped once, along the composed flow corrected by what it left over.
        flow: that flow, from the target to the labelled frame (1, 2, h, w) in pixels; kept on both sides
            only where the generator asks for whole frames.
    """

    known: LabelledFrame
    distance: int
    carried: Hypothesis
    refined: Hypothesis
    flow: Tensor | None = None


@dataclass(frozen=True)
class Evidence:
    """All that is known about a target frame, on a box of it.

    Attributes:
        index: of the frame in its video.
        rgb: the whole frame, uint8 (H, W, 3).
        box: all of it where the generator asks for whole frames, else what holds the objects.
        image: that box of the frame (1, 3, h, w) in [0, 1].
        sides: from the labelled frame before it, after it, or both, in this order.
        present: for each object whether one of their labels shows it.
    """

    index: int
    rgb: ImageArray
    box: Box
    image: Tensor
    sides: list[Side]
    present: list[bool]


@dataclass(frozen=True)
class Generated:
    """The answer.

    Attributes:
        labels: soft labels (1, O, h, w) in [0, 1].
        trust: what their clearness is worth (1, 1, h, w) in [0, 1], see `ops.confidence.trust`.
        support: what else tells right pixels from wrong ones (1, 1, h, w) in [0, 1], but good frames from bad
            ones no better; None tells nothing.
    """

    labels: Tensor
    trust: Tensor
    support: Tensor | None = None

    @property
    def certainty(self) -> Tensor:
        """What the J of the frame is expected from (1, 1, h, w) in [0, 1]."""
        return margin(self.labels) * self.trust

    @property
    def confidence(self) -> Tensor:
        """Of the pixels (1, 1, h, w) in [0, 1]."""
        return self.certainty if self.support is None else self.certainty * self.support


class Generator(Protocol):
    """A densification method."""

    @property
    def name(self) -> str:
        """As written into manifests."""
        ...

    @property
    def whole_frames(self) -> bool:
        """Wants evidence about whole frames, with flows; else on boxes around the objects, without."""
        ...

    def generate(self, evidence: Evidence) -> Generated:
        """The soft label of one frame; must be callable from several threads at once."""
        ...


class WarpGenerator:
    """`--method warp`: fusion of warped labels, a search for better matches, borders pulled to edges.

    No learned weights.
    """

    name = "warp"
    whole_frames = False

    def __init__(self, search: Search | None = None, *, edges: bool = False) -> None:
        """Choose what follows the fusion.

        Args:
            search: where to look for better matches; None does not.
            edges: pull borders to the edges of the image.
        """
        self._search, self._edges = search, edges

    def generate(self, evidence: Evidence) -> Generated:
        """Fuse both sides' hypotheses, and settle what is left in doubt by looking around."""
        ways = [way for side in evidence.sides for way in (side.carried, side.refined)]
        found = label_by_rules(evidence.image, ways, search=self._search, edges=self._edges)
        one_sided = len(evidence.sides) == 1
        return Generated(found.labels, trust(found.support, one_sided=one_sided))
