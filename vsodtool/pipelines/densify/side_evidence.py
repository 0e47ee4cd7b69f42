"""What one labelled frame says about a target frame: its label warped there in two ways."""

from __future__ import annotations

import torch
from torch import Tensor

from vsodtool.ops.boxes import rebox, whole
from vsodtool.ops.fusion import hypothesis
from vsodtool.ops.propagation import Carried
from vsodtool.ops.warp import sample
from vsodtool.pipelines.densify.interval import LabelledFrame
from vsodtool.pipelines.densify.method import Side
from vsodtool.pipelines.densify.motion import MotionPlan

_OBJECT = 0.5  # soft labels above this are object


def side_evidence(
    known: LabelledFrame,
    label_image: Tensor,
    image: Tensor,
    plan: MotionPlan,
    *,
    index: int,
    carried: Carried,
) -> Side:
    """Both ways from a labelled frame to a target, on the box of what was carried there.

    The refined way: flow straight from the target to the labelled frame, started from the composed flow, and
    so with its reach but without its drift. Together with the photometric weights it gains 4 points of J at
    K = 20 on davis-train; started from nothing it would lose the object on long ways (data/baseline.md).
    Estimating what motion is left between the target and the warped labelled frame gained 0.8 points less.
    """
    box = carried.box
    warped = sample(label_image, carried.flow, origin=box.origin)
    rows, columns = _main_motion(carried)
    there = rebox(
        label_image, whole((label_image.shape[-2], label_image.shape[-1])), box.shift(rows, columns)
    ).contiguous()
    moved = carried.flow.new_tensor([columns, rows]).view(1, 2, 1, 1)
    flow = plan.refining.estimate(image, there, initial=carried.flow - moved) + moved
    again = sample(torch.cat((label_image, known.labels), dim=1), flow, origin=box.origin)
    return Side(
        known,
        abs(index - known.index),
        hypothesis(carried.labels, carried.consistency, image, warped),
        hypothesis(again[:, 3:], carried.consistency, image, again[:, :3]),
        flow,
    )


def _main_motion(carried: Carried) -> tuple[int, int]:
    """Where the objects mostly came from, in whole pixels (down, right)."""
    few = (..., slice(None, None, 4), slice(None, None, 4))  # every 16th pixel tells as much
    inside = carried.labels[few].amax(dim=1) > _OBJECT
    flow = carried.flow[few][:, :, inside[0]] if bool(inside.any()) else carried.flow[few].flatten(2)
    columns, rows = flow[0].median(dim=-1).values.tolist()
    return round(rows), round(columns)
