"""Fill an interval as the paper does: flow from each frame straight to the labelled ones, then FGPLG."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from vsodtool.models.paper.densifier import FgplgDensifier
from vsodtool.ops.boxes import whole
from vsodtool.ops.resize import resize_maps
from vsodtool.ops.warp import sample
from vsodtool.pipelines.densify.dense_frame import DenseFrame, in_frame
from vsodtool.pipelines.densify.interval import IntervalJob, LabelledFrame, Workers
from vsodtool.pipelines.densify.motion import CHUNK
from vsodtool.pipelines.densify.paper import generate_label, network_frame
from vsodtool.types import FlowEstimator


def densify_directly(
    job: IntervalJob,
    estimator: FlowEstimator,
    densifier: FgplgDensifier,
    *,
    workers: Workers,
    on_frame: Callable[[DenseFrame], None],
    cancelled: Callable[[], bool] = lambda: False,
) -> None:
    """Fill every target of an interval; frames are independent of each other (`--flow direct`).

    Yan et al., ICCV 2019, section 3.3, and the published code: frames and labels are resized to the square
    that the network sees (bilinear, antialiased), flow and warped labels live there, and only the soft label
    is brought back to the frame's size. Deviations: the flow is not FlowNet2's but that of the backend in
    use; frames with a label on one side only, which the paper leaves out, are filled from it; several objects
    get a pass each, and one that neither label shows gets none.

    Args:
        job: the interval.
        estimator: of the flow.
        densifier: the network.
        workers: does the heavy pieces.
        on_frame: takes each finished frame; called from several threads, in no particular order.
        cancelled: asked now and then; once it says yes, the rest is left undone.
    """
    sides = [_small(known, densifier.size) for known in (job.left, job.right) if known is not None]

    def fill(index: int) -> None:
        image = network_frame(job.rgb(index), densifier.size)
        here = image.expand(len(sides), -1, -1, -1)
        there = estimator.estimate(here, torch.cat([side.image for side in sides]))
        flows = [there[number : number + 1] for number in range(len(sides))]
        warped = [sample(side.labels, flow) for side, flow in zip(sides, flows, strict=True)]
        made = generate_label(densifier, image, warped, flows, present=job.present, frame=job.size)
        on_frame(in_frame(index, made, whole(job.size), job.size))

    for start in range(0, len(job.targets), CHUNK):
        if cancelled():
            return
        workers.map(fill, job.targets[start : start + CHUNK])


@dataclass(frozen=True)
class _Small:
    """A labelled frame at the network's size: image (1, 3, S, S) in [0, 1] and labels (1, O, S, S)."""

    image: Tensor
    labels: Tensor


def _small(known: LabelledFrame, size: int) -> _Small:
    return _Small(network_frame(known.rgb, size), resize_maps(known.labels, (size, size)))
