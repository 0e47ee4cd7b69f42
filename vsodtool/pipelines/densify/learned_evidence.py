"""What is known of a frame -> the maps of one object that a learned densifier takes."""

from __future__ import annotations

from torch import Tensor

from vsodtool.ops.evidence_maps import evidence_maps
from vsodtool.pipelines.densify.method import Evidence


def object_maps(evidence: Evidence, number: int, guess: Tensor) -> Tensor:
    """The maps of one object, float32 (1, MAPS, h, w) in [0, 1].

    Args:
        evidence: of one side or of both; one stands for both.
        number: of the object.
        guess: what the rules of `--method warp` say, of all objects (1, O, h, w).
    """
    chosen = slice(number, number + 1)
    sides = [
        (
            side.carried.labels[:, chosen],
            side.carried.image,
            side.refined.labels[:, chosen],
            side.refined.image,
            side.carried.consistency,
        )
        for side in (evidence.sides[0], evidence.sides[-1])
    ]
    return evidence_maps(evidence.image, sides, guess[:, chosen])
