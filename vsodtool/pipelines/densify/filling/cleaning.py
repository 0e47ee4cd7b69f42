"""Specks of a made label are taken out, but for those like the given masks have."""

from __future__ import annotations

from dataclasses import replace

from vsodtool.ops.confidence import owners, without
from vsodtool.ops.labels.specks import specks
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.interval import Interval


def drop_specks(interval: Interval, label: SoftLabel, least: int) -> SoftLabel:
    """A label without specks, see `ops.specks`.

    Args:
        interval: that the label was made in.
        label: what a method made.
        least: pixels that a part must have; 0 lets the given masks decide.

    Returns:
        The label itself where there are none.
    """
    for number, present in enumerate(interval.present):
        if not present:
            continue
        owned = owners(label.labels)[0, 0] == number + 1
        given = [known.small_parts[number] for known in interval.labelled]
        stray = specks(owned, label.certainty[0, 0], given, least)
        if stray is not None:
            label = replace(label, labels=without(label.labels, number, stray))
    return label
