"""FGPLG: the flow-guided pseudo-label generator."""

from __future__ import annotations

import torch
from torch import Tensor

from vsodtool.checks import check_flow, check_image, check_map
from vsodtool.models.rcrnet.network import RcrNet


class Fgplg(RcrNet):
    """RCRNet on seven channels (Yan et al., ICCV 2019, section 3.3).

    Normalised RGB of the target frame, the left and the right label warped to it, and the lengths of the
    flows to the left and to the right labelled frame. Its input is made by `fgplg_input`.
    """


def fgplg_input(frame: Tensor, warped: tuple[Tensor, Tensor], flows: tuple[Tensor, Tensor]) -> Tensor:
    """The seven channels, in the order of the published code.

    Args:
        frame: the target frame, normalised (B, 3, H, W).
        warped: left and right label seen from it, each (B, 1, H, W) in [0, 1].
        flows: from it to the left and to the right labelled frame, each (B, 2, H, W) in pixels of this size.

    Returns:
        (B, 7, H, W).

    Raises:
        ShapeError: a tensor has another shape.
    """
    check_image(frame, "frame")
    for label in warped:
        check_map(label, "warped label")
    return torch.cat((frame, *warped, *(flow_length(flow) for flow in flows)), dim=1)


def flow_length(flow: Tensor) -> Tensor:
    """sqrt((dx/W)^2 + (dy/H)^2): the length of a flow as a share of the image's size.

    Args:
        flow: (B, 2, H, W) in pixels of this size.

    Returns:
        (B, 1, H, W), at least 0.
    """
    check_flow(flow)
    height, width = flow.shape[-2:]
    share = flow / flow.new_tensor([width, height]).view(1, 2, 1, 1)
    return share.square().sum(dim=1, keepdim=True).sqrt()
