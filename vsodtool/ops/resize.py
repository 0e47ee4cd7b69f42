"""Maps and flows in another size."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from vsodtool.checks import check_flow
from vsodtool.types import Size


def resize_maps(maps: Tensor, size: Size) -> Tensor:
    """Maps (B, C, H, W) at another size: bilinear, antialiased; what fits is returned as it is."""
    if (maps.shape[-2], maps.shape[-1]) == size:
        return maps
    return functional.interpolate(maps, size=size, mode="bilinear", antialias=True)


def resize_flow(flow: Tensor, size: Size) -> Tensor:
    """A flow at another size, its vectors scaled with it.

    Args:
        flow: (B, 2, H, W) in pixels of this size, channel 0 right, channel 1 down.
        size: that is wanted.

    Returns:
        (B, 2, *size) in pixels of that size.

    Raises:
        ShapeError: the flow has another shape.
    """
    check_flow(flow)
    height, width = flow.shape[-2:]
    scale = flow.new_tensor([size[1] / width, size[0] / height]).view(1, 2, 1, 1)
    return resize_maps(flow, size) * scale
