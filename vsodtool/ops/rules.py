"""The label that rules give: fusion, then a search for better matches, then borders pulled to edges."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vsodtool.ops.edges import align_to_edges
from vsodtool.ops.fusion import Fused, Hypothesis, fuse
from vsodtool.ops.matching import Search, match_owners


def label_by_rules(
    image: Tensor, hypotheses: Sequence[Hypothesis], *, search: Search | None, edges: bool
) -> Fused:
    """Fuse hypotheses, and settle what is left in doubt by looking around.

    Args:
        image: the target frame (1, 3, h, w) in [0, 1].
        hypotheses: at least one.
        search: where to look for better matches; None does not.
        edges: pull borders to the edges of the image.

    Returns:
        Soft labels, and the support that the fusion found for them.
    """
    fused = fuse(list(hypotheses))
    labels = fused.labels
    if search is not None:
        images = torch.cat([way.image for way in hypotheses])
        warped = torch.cat([way.labels for way in hypotheses])
        labels = match_owners(labels, image, images, warped, search=search)
    if edges:
        labels = align_to_edges(labels, image)
    return Fused(labels, fused.support)
