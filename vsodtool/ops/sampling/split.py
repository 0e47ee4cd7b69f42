"""Work divided among processes that do not talk: all come to the same division."""

from __future__ import annotations

import heapq
from collections.abc import Mapping


def split_by_weight(weights: Mapping[str, int], parts: int) -> list[list[str]]:
    """Divide named pieces of work into parts of about equal weight.

    The heaviest piece first, each to the part that has least so far (Graham, "Bounds on multiprocessing
    timing anomalies", 1969: the heaviest part has at most 4/3 of what it has in the best division). Depends
    on names and weights only, not on their order.

    Args:
        weights: of each piece, at least 0.
        parts: how many, at least 1.

    Returns:
        The names of each part, sorted; parts beyond the number of pieces are empty.
    """
    division: list[list[str]] = [[] for _ in range(parts)]
    loads = [
        (0, 0, part) for part in range(parts)
    ]  # weight, then pieces: those without weight are spread too
    for name in sorted(weights, key=lambda name: (-weights[name], name)):
        weight, pieces, lightest = loads[0]
        division[lightest].append(name)
        heapq.heapreplace(loads, (weight + weights[name], pieces + 1, lightest))
    return [sorted(names) for names in division]
