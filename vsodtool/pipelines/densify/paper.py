"""`--method fgplg` with weights of the paper: its network in place of the fusion, or all as it does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from vsodtool.models.paper.densifier import FgplgDensifier
from vsodtool.ops.boxes import whole
from vsodtool.ops.confidence import trust
from vsodtool.ops.network_image import to_frame_size, to_network_image
from vsodtool.ops.resize import resize_flow, resize_maps
from vsodtool.ops.warp import sample
from vsodtool.pipelines.densify.evidence import Evidence
from vsodtool.pipelines.densify.interval import Interval, LabelledFrame
from vsodtool.pipelines.densify.label import DenseFrame, Generated, in_frame
from vsodtool.pipelines.densify.motion import CHUNK
from vsodtool.pipelines.densify.side_by_side import Workers
from vsodtool.types import FlowEstimator, ImageArray, Size


class PaperMethod:
    """`--flow composed`: the network sees the refined labels and flows of the densifier.

    A deviation from the paper, which estimates the flow to the labelled frames directly (`direct.py`): over
    many frames an object moves further than a direct flow finds it. Labels are warped at the frame's size;
    then labels and flows are resized to the network's.
    """

    name = "fgplg"
    whole_frames = True

    def __init__(self, densifier: FgplgDensifier) -> None:
        self._densifier = densifier

    def generate(self, evidence: Evidence) -> Generated:
        """One pass per object over the whole frame."""
        frame = evidence.box.size
        assert evidence.box == whole((evidence.rgb.shape[0], evidence.rgb.shape[1]))
        square = (self._densifier.size, self._densifier.size)
        warped, flows = [], []
        for side in evidence.sides:
            assert side.flow is not None
            warped.append(resize_maps(side.refined.labels, square))
            flows.append(resize_flow(side.flow, square))
        return generate_label(
            self._densifier,
            network_frame(evidence.rgb, self._densifier.size),
            warped,
            flows,
            present=evidence.present,
            frame=frame,
        )


def network_frame(rgb: ImageArray, size: int) -> Tensor:
    """A frame, uint8 (H, W, 3), as the network sees it: (1, 3, size, size) in [0, 1]."""
    return to_network_image(rgb, size)[None].float().div_(255)


def generate_label(
    densifier: FgplgDensifier,
    image: Tensor,
    warped: list[Tensor],
    flows: list[Tensor],
    *,
    present: list[bool],
    frame: Size,
) -> Generated:
    """Let the network answer, and bring its answer to the frame's size.

    Before the first and after the last label, which the paper never fills, the known side stands for both.
    The confidence of a pixel is the network's own, the lead of the winner over all others.

    Args:
        densifier: the network.
        image: the target frame (1, 3, S, S) in [0, 1].
        warped: labels of one or two sides (1, O, S, S).
        flows: to the labelled frames of these sides (1, 2, S, S).
        present: for each object whether a label shows it.
        frame: (H, W) of the frame.
    """
    labels = to_frame_size(
        densifier.generate(image, (warped[0], warped[-1]), (flows[0], flows[-1]), present=present), frame
    )
    support = torch.ones_like(labels[:, :1])
    return Generated(labels, trust(support, one_sided=len(warped) == 1))


def densify_directly(
    job: Interval,
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
