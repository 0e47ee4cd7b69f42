"""What turns the evidence about one frame into its label: the part that methods differ in."""

from __future__ import annotations

from typing import Protocol

from vsodtool.ops.confidence import trust
from vsodtool.ops.matching import Search
from vsodtool.ops.rules import label_by_rules
from vsodtool.pipelines.densify.evidence import Evidence
from vsodtool.pipelines.densify.label import Generated


class Method(Protocol):
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


class WarpMethod:
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
