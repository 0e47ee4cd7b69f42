"""`--method fgplg`: the learned generator of the paper, in the place of the fusion."""

from __future__ import annotations

import torch
from torch import Tensor

from vsodtool.models.paper.densifier import FgplgDensifier
from vsodtool.ops.boxes import whole
from vsodtool.ops.confidence import trust
from vsodtool.ops.network_image import to_frame_size, to_network_image
from vsodtool.ops.resize import resize_flow, resize_maps
from vsodtool.pipelines.densify.method import Evidence, Generated
from vsodtool.types import ImageArray, Size


class FgplgGenerator:
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
