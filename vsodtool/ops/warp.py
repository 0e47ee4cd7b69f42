"""The one backward warp that everything uses."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from vsodtool.checks import check_flow, check_same_size, check_tensor
from vsodtool.errors import ShapeError
from vsodtool.native import sampling as native_sampling
from vsodtool.native.library import library
from vsodtool.native.maps import readable

_CLAMPS_ITSELF = {"cpu", "cuda"}  # torch before 2.13 has no "border" on Apple GPUs


def backward_warp(
    image_b: Tensor, flow_a_to_b: Tensor, *, origin: tuple[int, int] = (0, 0)
) -> tuple[Tensor, Tensor]:
    """Image b seen from a: bilinear samples of b at x + flow(x), indices clamped to the border.

    Convention: image (B, C, H, W); flow (B or 1, 2, h, w) in pixels, channel 0 right, channel 1 down;
    align_corners=True, border-clamped, as the paper's published code does it (reference/golden.npz).

    Args:
        image_b: what is sampled.
        flow_a_to_b: where each pixel of a lies in b, relative to itself.
        origin: (row, column) in b of the flow's first pixel, where the flow covers only a box of the image.

    Returns:
        The warped image (B, C, h, w), and 1 where the sample lies inside b, else 0: (B or 1, 1, h, w).

    Raises:
        ShapeError: the tensors have other shapes or batch sizes that do not agree.
    """
    warped = sample(image_b, flow_a_to_b, origin=origin)
    height, width = image_b.shape[-2:]
    rows, columns = _positions(flow_a_to_b, origin)
    inside = (columns >= 0) & (columns <= width - 1) & (rows >= 0) & (rows <= height - 1)
    return warped, inside.unsqueeze(1).to(image_b.dtype)


def sample(image_b: Tensor, flow_a_to_b: Tensor, *, origin: tuple[int, int] = (0, 0)) -> Tensor:
    """The warped image of `backward_warp`, without the mask; everything else as there.

    Two ways that agree up to rounding: torch's, and for float32 on a CPU, where no gradient is wanted,
    compiled loops, which take less than half the time.

    Raises:
        ShapeError: the tensors have other shapes or batch sizes that do not agree.
    """
    return sample_all([image_b], flow_a_to_b, origin=origin)[0]


def sample_all(
    images_b: Sequence[Tensor], flow_a_to_b: Tensor, *, origin: tuple[int, int] = (0, 0)
) -> list[Tensor]:
    """`sample` of several images of one size and batch by one flow: finding places costs as much as reading.

    Raises:
        ShapeError: the tensors have other shapes or batch sizes that do not agree.
    """
    for image in images_b:
        check_tensor(image, "image_b")
        check_same_size(images_b[0], image, "images_b")
    check_flow(flow_a_to_b, "flow_a_to_b")
    batch = images_b[0].shape[0]
    if flow_a_to_b.shape[0] not in (1, batch):
        raise ShapeError(f"flow_a_to_b: expected a batch of 1 or {batch}, found {flow_a_to_b.shape[0]}")
    loops = library()
    if loops is not None and min(images_b[0].shape[-2:]) > 1 and readable(*images_b, flow_a_to_b):
        return native_sampling.sample(loops, images_b, flow_a_to_b, origin)
    if len(images_b) == 1:
        return [_sample_by_torch(images_b[0], flow_a_to_b, origin)]
    warped = _sample_by_torch(torch.cat(tuple(images_b), dim=1), flow_a_to_b, origin)
    return list(torch.split(warped, [image.shape[1] for image in images_b], dim=1))


def _sample_by_torch(image_b: Tensor, flow_a_to_b: Tensor, origin: tuple[int, int]) -> Tensor:
    grid = _grid(flow_a_to_b, origin, image_b)
    clamps = image_b.device.type in _CLAMPS_ITSELF
    return functional.grid_sample(
        image_b,
        (grid if clamps else grid.clamp(-1, 1)).expand(len(image_b), -1, -1, -1),
        mode="bilinear",
        padding_mode="border" if clamps else "zeros",  # of which a clamped grid never sees any
        align_corners=True,
    )


def _grid(flow: Tensor, origin: tuple[int, int], image: Tensor) -> Tensor:
    """Where a flow points to, as grid_sample wants it: in [-1, 1] of the image, (B, h, w, 2).

    The coordinates lie plane by plane in memory, which costs grid_sample nothing.
    """
    height, width = image.shape[-2:]
    # An axis of one pixel has only one place to sample.
    across, down = 2 / max(width - 1, 1), 2 / max(height - 1, 1)
    rows = torch.arange(flow.shape[-2], device=flow.device, dtype=flow.dtype) + origin[0]
    columns = torch.arange(flow.shape[-1], device=flow.device, dtype=flow.dtype) + origin[1]
    grid = flow.new_empty(flow.shape)
    torch.mul(flow[:, 0], across, out=grid[:, 0])
    torch.mul(flow[:, 1], down, out=grid[:, 1])
    grid[:, 0] += columns * across - 1
    grid[:, 1] += (rows * down - 1)[:, None]
    return grid.to(image.dtype).permute(0, 2, 3, 1)


def compose_flows(flow_a_to_b: Tensor, flow_b_to_c: Tensor, *, origin: tuple[int, int] = (0, 0)) -> Tensor:
    """The flow from a to c through b: f_ac(x) = f_ab(x) + f_bc(x + f_ab(x)).

    Args:
        flow_a_to_b: (B, 2, h, w) in pixels.
        flow_b_to_c: (B, 2, H, W) in pixels.
        origin: as in `backward_warp`, of a's box within b's.
    """
    return flow_a_to_b + sample(flow_b_to_c, flow_a_to_b, origin=origin)


def _positions(flow: Tensor, origin: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Absolute rows and columns that a flow points to, each (B, h, w)."""
    height, width = flow.shape[-2:]
    rows = torch.arange(height, device=flow.device, dtype=flow.dtype) + origin[0]
    columns = torch.arange(width, device=flow.device, dtype=flow.dtype) + origin[1]
    return flow[:, 1] + rows[:, None], flow[:, 0] + columns
