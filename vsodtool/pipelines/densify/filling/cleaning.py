"""Broken lines of a made label are joined and its specks taken out, by what the given masks are like."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from vsodtool.ops.confidence import owners, with_pixels, without
from vsodtool.ops.labels.specks import specks
from vsodtool.ops.labels.thin import bridges
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.interval import Interval

# Chosen on davis-train: benchmarks/TRIED.md, "Specks".
BRIDGE = 0.2  # soft label from which on a pixel may join two parts of a line


def clean(interval: Interval, label: SoftLabel, least: int) -> SoftLabel:
    """A label without specks, see `ops.labels.specks`, and with lines in one piece, see `ops.labels.thin`.

    Args:
        interval: that the label was made in.
        label: what a method made.
        least: pixels that a part must have, and nothing is joined; 0 lets the given masks decide.

    Returns:
        The label itself where there is nothing to do.
    """
    seen, owner, sure = label.labels, *_owned(label)
    for number, present in enumerate(interval.present):
        if not present:
            continue
        owned = owner == number + 1
        lines = max(known.thin_shares[number] for known in interval.labelled)
        if lines and not least:
            possible = (owner == 0) & (label.labels[0, number] > BRIDGE)
            joining = bridges(owned, possible, int(lines * int(owned.sum())))
            if joining is not None:
                label = replace(label, labels=with_pixels(label.labels, number, joining))
                owned = owned | joining
        given = [known.small_parts[number] for known in interval.labelled]
        stray = specks(owned, sure, given, least, lines)
        if stray is not None:
            label = replace(label, labels=without(label.labels, number, stray))
        if label.labels is not seen:
            seen, owner, sure = label.labels, *_owned(label)
    return label


def _owned(label: SoftLabel) -> tuple[Tensor, Tensor]:
    """Owner and clearness of each pixel (h, w); what is joined later makes a line no less sure."""
    return owners(label.labels)[0, 0], label.clearness[0, 0]
