"""Which method a video gets, from what each reached on the labels that were hidden from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from statistics import fmean, stdev

# benchmarks/choose_method.py: of margins that leave something to chance, small ones lost least.
NOISE = 0.005  # J by which two methods differ on one label without one being better; the least assumed
CAUTION = 0.5  # standard errors


def choose_method(scores: Mapping[str, Sequence[float]], default: str) -> tuple[str, str]:
    """The default, unless another method is better by more than chance.

    Both were tried on the same labels, so their differences count: another method must be better on average
    by more than half the standard error of that average, and by more than NOISE / sqrt(n), because a few
    differences do not tell their own spread.

    Args:
        scores: by method its J on each hidden label, in one order for all; each in [0, 1].
        default: the method that is taken in doubt.

    Returns:
        The method, and the reason in words.
    """
    if not scores[default]:
        return default, "no hidden label could be tried"
    best, lead = default, 0.0
    for name, own in scores.items():
        differences = [ours - theirs for ours, theirs in zip(own, scores[default], strict=True)]
        ahead = fmean(differences)
        if name != default and ahead > margin(differences) and ahead > lead:
            best, lead = name, ahead
    if best == default:
        return default, "no other method was clearly better on the hidden labels"
    return best, "clearly better on the hidden labels"


def margin(differences: Sequence[float]) -> float:
    """What the mean of these differences must exceed to count."""
    spread = stdev(differences) if len(differences) > 1 else 0.0
    return max(CAUTION * spread, NOISE) / sqrt(len(differences))
