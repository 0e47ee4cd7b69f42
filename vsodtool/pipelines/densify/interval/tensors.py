"""Pictures and labels as they are read -> tensors as they are worked on."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from vsodtool.ops.boxes import Box
from vsodtool.types import ImageArray, LabelArray


def to_image(rgb: ImageArray, box: Box, device: torch.device) -> Tensor:
    """A box of an RGB uint8 (H, W, 3) as float32 (1, 3, h, w) in [0, 1]."""
    crop = torch.from_numpy(rgb[box.top : box.bottom, box.left : box.right])
    return crop.permute(2, 0, 1).contiguous()[None].to(device).float().div_(255)


def to_channels(labels: LabelArray, object_ids: Iterable[int]) -> Tensor:
    """Object ids (H, W) -> one channel per object (1, O, H, W), float32, 0 or 1."""
    ids = torch.tensor(list(object_ids), dtype=torch.int32).view(-1, 1, 1)
    return (torch.from_numpy(labels.astype("int32")) == ids)[None].float()
