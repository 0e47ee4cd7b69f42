"""Where to put labels while nothing is known of a video but its length, and how many each video gets.

Frames beyond the first and the last label are filled from one side, where the error grows with the distance
d; in a gap g between two labels its mean is g / 6 (`ops.reach`). Both cost the same at the margin for
d = g / 3, so a third of a gap is left at both ends (benchmarks/next_frame.py: inset against equal).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil

THIRD = Fraction(1, 3)


def inset(frames: int, count: int) -> list[int]:
    """Labels as equally spaced as can be, a third of a gap from both ends.

    Args:
        frames: number of frames of the video, or shot.
        count: of labels; no more than there are frames.

    Returns:
        Indices, ascending, without repetition.
    """
    if count >= frames:
        return list(range(frames))
    gap = Fraction(frames - 1) / (count - 1 + 2 * THIRD)
    return [round(gap * (THIRD + place)) for place in range(count)] if count > 1 else [(frames - 1) // 2]


def every(frames: int, step: int) -> list[int]:
    """Every `step`-th frame from a third of a step on, and one more where the rest is over two thirds.

    Args:
        frames: number of frames of the video, or shot.
        step: at least 1.
    """
    places = list(range(min(step // 3, frames - 1), frames, step))
    if frames - 1 - places[-1] > ceil(2 * step * THIRD):
        places.append(max(frames - 1 - step // 3, places[-1] + 1))
    return places


def share_out(weights: Sequence[float], most: Sequence[int], count: int) -> list[int]:
    """Numbers in proportion to weights, whole ones that add up, by largest remainders of what is left.

    Everybody gets one first, the heaviest ones if there are too few.

    Args:
        weights: at least 0.
        most: what each can take, at least 1.
        count: to be shared out; what nobody can take is left.
    """
    order = sorted(range(len(weights)), key=lambda index: (-weights[index], index))
    shares = [0] * len(weights)
    for index in order[:count]:
        shares[index] = 1
    for _ in range(min(count, sum(most)) - sum(shares)):
        open_ones = [index for index in order if shares[index] < most[index]]
        shares[max(open_ones, key=lambda index: (weights[index] / shares[index], -shares[index]))] += 1
    return shares
