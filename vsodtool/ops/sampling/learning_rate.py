"""The learning rate of each step."""

from __future__ import annotations

import math


def learning_rate(
    step: int, *, base: float, total: int, warmup: int = 0, schedule: str = "constant"
) -> float:
    """Linear warm-up, then constant, or a half cosine that would reach 0 one step after the last.

    Args:
        step: from 0 to total - 1.
        base: the highest rate.
        total: number of steps.
        warmup: the first steps: base / warmup, 2 base / warmup, ..., base.
        schedule: "constant" or "cosine" (Loshchilov and Hutter, ICLR 2017, without restarts).
    """
    if step < warmup:
        return base * (step + 1) / warmup
    if schedule == "constant":
        return base
    progress = (step - warmup) / max(total - warmup, 1)
    return base * 0.5 * (1 + math.cos(math.pi * progress))
