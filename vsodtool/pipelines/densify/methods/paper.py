"""`--method fgplg` with weights of the paper: its network in place of the fusion, or all as it does it."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from vsodtool.models.paper.densifier import FgplgDensifier
from vsodtool.ops.confidence import trust
from vsodtool.ops.network_image import to_frame_size, to_network_image
from vsodtool.ops.resize import resize_flow, resize_maps
from vsodtool.ops.warp import sample
from vsodtool.pipelines.densify.filling.evidence import Evidence
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.interval import LabelledFrame, OfLatest
from vsodtool.pipelines.densify.method import Wants
from vsodtool.types import FlowEstimator, ImageArray


class PaperMethod:
    """`--label-flow composed`: the network sees the refined labels and flows of the densifier.

    A deviation from the paper, which estimates the flow to the labelled frames directly (`DirectMethod`):
    over many frames an object moves further than a direct flow finds it. Labels are warped at the frame's
    size; then labels and flows are resized to the network's.
    """

    name = "fgplg"
    wants = Wants.FRAMES

    def __init__(self, densifier: FgplgDensifier) -> None:
        self._densifier = densifier

    def generate(self, evidence: Evidence) -> SoftLabel:
        """One pass per object over the whole frame."""
        square = (self._densifier.size, self._densifier.size)
        warped, flows = [], []
        for side in evidence.sides:
            assert side.flow is not None
            warped.append(resize_maps(side.labels[1:], square))
            flows.append(resize_flow(side.flow, square))
        image = _network_frame(evidence.rgb, self._densifier.size).to(evidence.image.device)
        return _answer(evidence, self._densifier, image, warped, flows)


class DirectMethod:
    """`--label-flow direct`: flow from each frame straight to the labelled ones, as the paper does it.

    Yan et al., ICCV 2019, section 3.3, and the published code: frames and labels are resized to the square
    that the network sees (bilinear, antialiased), flow and warped labels live there, and only the soft label
    is brought back to the frame's size. Deviations: the flow is not FlowNet2's but that of the backend in
    use; frames with a label on one side only, which the paper leaves out, are filled from it; several objects
    get a pass each, and one that neither label shows gets none.
    """

    name = "fgplg"
    wants = Wants.LABELS

    def __init__(self, densifier: FgplgDensifier, estimator: FlowEstimator) -> None:
        self._densifier, self._estimator = densifier, estimator
        self._small: OfLatest[_Small] = OfLatest()

    def generate(self, evidence: Evidence) -> SoftLabel:
        """One pass per object over the whole frame."""
        sides = [
            self._small.get(known, "small", partial(self._shrink, known))
            for known in evidence.interval.labelled
        ]
        image = _network_frame(evidence.rgb, self._densifier.size).to(evidence.image.device)
        here = image.expand(len(sides), -1, -1, -1)
        flows = torch.split(self._estimator.estimate(here, torch.cat([side.image for side in sides])), 1)
        warped = [sample(side.labels, flow) for side, flow in zip(sides, flows, strict=True)]
        return _answer(evidence, self._densifier, image, warped, list(flows))

    def _shrink(self, known: LabelledFrame) -> _Small:
        size, device = self._densifier.size, known.labels.device
        return _Small(_network_frame(known.rgb, size).to(device), resize_maps(known.labels, (size, size)))


class _Small(NamedTuple):
    """A labelled frame at the network's size: image (1, 3, S, S) in [0, 1] and labels (1, O, S, S)."""

    image: Tensor
    labels: Tensor


def _network_frame(rgb: ImageArray, size: int) -> Tensor:
    """A frame, uint8 (H, W, 3), as the network sees it: (1, 3, size, size) in [0, 1]."""
    return to_network_image(rgb, size)[None].float().div_(255)


def _answer(
    evidence: Evidence,
    densifier: FgplgDensifier,
    image: Tensor,
    warped: list[Tensor],
    flows: list[Tensor],
) -> SoftLabel:
    """Let the network answer, and bring its answer to the frame's size.

    Before the first and after the last label, which the paper never fills, the known side stands for both.
    The confidence of a pixel is the network's own, the lead of the winner over all others.

    Args:
        evidence: about the frame.
        densifier: the network.
        image: the frame (1, 3, S, S) in [0, 1].
        warped: labels of one or two sides (1, O, S, S).
        flows: to the labelled frames of these sides (1, 2, S, S).
    """
    labels = densifier.generate(
        image, (warped[0], warped[-1]), (flows[0], flows[-1]), present=evidence.present
    )
    labels = to_frame_size(labels, evidence.interval.size)
    support = torch.ones_like(labels[:, :1])
    return evidence.answer(labels, trust(support, one_sided=len(warped) == 1))
