"""Frames of low confidence that are not neighbours: where to look again."""

from __future__ import annotations

from collections.abc import Sequence

APART = 10  # no two of them are nearer to each other than one such part of all frames


def least_sure(confidence: Sequence[float], count: int) -> list[int]:
    """The places of the lowest values, the lowest first, those near a lower one left out.

    Non-maximum suppression over time: a bad stretch is named once.

    Args:
        confidence: of every frame in order, in [0, 1]; 1 is never among them.
        count: how many, at most.
    """
    apart = max(2, len(confidence) // APART)
    chosen: list[int] = []
    for index in sorted(range(len(confidence)), key=lambda index: confidence[index]):
        if len(chosen) == count or confidence[index] >= 1:
            break
        if all(abs(index - other) >= apart for other in chosen):
            chosen.append(index)
    return chosen
