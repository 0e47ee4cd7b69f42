"""A video divided among workers: parts that each can make by themselves, with little done twice."""

from __future__ import annotations

from collections.abc import Sequence, Set

from vsodtool.ops.shots.shots import Shots


def divide(names: Sequence[str], shots: Shots, finished: Set[str], most: int, grain: int) -> list[list[str]]:
    """The frames that need maps, in parts of neighbours; a part lies in one shot.

    Bounds lie at multiples of `grain` from the beginning of the shot. What is computed together there, a
    clip or a block that is smoothed, is then computed by one worker alone.

    Args:
        names: of all frames of the video, in order.
        shots: of it.
        finished: names that need no map.
        most: frames of a part, rounded up to a multiple of `grain`.
        grain: at least 1.

    Returns:
        Names of the frames of each part that need maps; parts in order, none of them empty.
    """
    length = -(-max(most, 1) // grain) * grain
    parts = (
        [names[index] for index in range(start, min(start + length, shot.stop))]
        for shot in shots.split(len(names))
        for start in range(shot.start, shot.stop, length)
    )
    missing = ([name for name in part if name not in finished] for part in parts)
    return [part for part in missing if part]
