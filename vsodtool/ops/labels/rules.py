"""The label that rules give: fusion, then a search for better matches, then borders pulled to edges."""

from __future__ import annotations

from torch import Tensor

from vsodtool.ops.labels.edges import align_to_edges
from vsodtool.ops.labels.fusion import Fused, fuse
from vsodtool.ops.labels.matching import Search, match_owners
from vsodtool.ops.labels.photometric import photometric_error


def label_by_rules(
    image: Tensor,
    labels: Tensor,
    views: Tensor,
    consistency: Tensor,
    *,
    search: Search | None,
    edges: bool,
) -> Fused:
    """Fuse hypotheses, and settle what is left in doubt by looking around.

    Args:
        image: the target frame (1, 3, h, w) in [0, 1].
        labels: of each of S hypotheses the soft labels that came here (S, O, h, w) in [0, 1].
        views: the labelled frames, brought here alike (S, 3, h, w) in [0, 1].
        consistency: of the flows that brought them (S, 1, h, w) in [0, 1].
        search: where to look for better matches; None does not.
        edges: pull borders to the edges of the image.

    Returns:
        Soft labels, and the support that the fusion found for them.
    """
    fused = fuse(labels, consistency, photometric_error(image, views))
    found = fused.labels
    if search is not None:
        found = match_owners(found, image, views, labels, search=search)
    if edges:
        found = align_to_edges(found, image)
    return Fused(found, fused.support)
