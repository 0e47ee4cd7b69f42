"""Where in the labelled frames does something look like this, and does it belong to the object there?"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from vsodtool.models.rcrnet.layers import ConvBnRelu

KEY = 32
VALUE = 32
_FINE = 2  # a cell of the memory holds the label at twice its resolution
READ = VALUE + _FINE * _FINE + 1
_AT_ONCE = 128  # cells of the frame
_AT_ONCE_ELSEWHERE = 4096  # than on CPUs
_MOST_CELLS = 2304  # of a labelled frame; of larger ones every other row and column is kept


class Memories(NamedTuple):
    """What `LabelMemory` knows of the M cells of B groups of labelled frames.

    Attributes:
        keys: float32 (B, KEY + 2, M).
        lengths: of these, squared (B, 1, M).
        values: with the labels (B, M, READ - 1).
    """

    keys: Tensor
    lengths: Tensor
    values: Tensor


class LabelMemory(nn.Module):
    """Attention from the cells of a frame to those of its labelled frames.

    A space-time memory (Oh et al., ICCV 2019) with negative squared distances as similarity (Cheng et al.,
    STCN, NeurIPS 2021). The distance also counts how far apart two cells lie in the *object's own frame of
    reference* (`ops/labels/object_frame.py`), with a learned weight: like things far away are left alone.
    Unlike flow it does not have to follow anything: it finds again what comes out of occlusion or moved too
    fast.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.key = nn.Conv2d(channels, KEY, 1)
        self.value = ConvBnRelu(channels + _FINE * _FINE, VALUE, 3)
        self.nearness = nn.Parameter(torch.zeros(()))

    def forward(
        self,
        features: Tensor,
        positions: Tensor,
        *,
        known: Tensor,
        known_positions: Tensor,
        labels: Tensor,
    ) -> Tensor:
        """`read` of what `remember` makes of the labelled frames."""
        return self.read(features, positions, self.remember(known, known_positions, labels))

    def remember(self, known: Tensor, known_positions: Tensor, labels: Tensor) -> Memories:
        """What does not depend on the frame that asks.

        Args:
            known: features of S labelled frames (B, S, C, m, n).
            known_positions: of their cells (B, S, 2, m, n).
            labels: theirs, in [0, 1], at twice the resolution (B, S, 1, 2 m, 2 n).
        """
        count, sides, _, height, width = known.shape
        cells = functional.pixel_unshuffle(labels.flatten(0, 1), _FINE)
        flat = known.flatten(0, 1)
        values = torch.cat((self.value(torch.cat((flat, cells), dim=1)), cells), dim=1)
        keys = self._key(flat, known_positions.flatten(0, 1))
        if height * width > _MOST_CELLS:
            keys, values = keys[..., ::2, ::2], values[..., ::2, ::2]
        keys, values = (
            part.flatten(2).view(count, sides, part.shape[1], -1).transpose(1, 2).flatten(2)
            for part in (keys, values)
        )
        return Memories(keys, keys.square().sum(1, keepdim=True), values.transpose(1, 2))

    def read(self, features: Tensor, positions: Tensor, memories: Memories) -> Tensor:
        """What the labelled frames say of each cell.

        Args:
            features: of the frame (B, C, h, w).
            positions: of its cells (B, 2, h, w).
            memories: of the labelled frames.

        Returns:
            (B, READ, h, w): values, labels (four for each cell) and the similarity of the best match.
        """
        query = self._key(features, positions).flatten(2).transpose(1, 2)  # (B, h w, KEY + 2)
        # A few cells at a time: what all of them have to do with all others does not fit into caches. A GPU
        # takes many: each step costs it a start.
        few = _AT_ONCE if query.device.type == "cpu" else _AT_ONCE_ELSEWHERE
        parts = [self._read(part, *memories) for part in torch.split(query, few, dim=1)]
        # As it lies there, channels last, the convolutions that follow want it.
        shape = (len(features), *features.shape[-2:], READ)
        return torch.cat(parts, dim=1).view(shape).permute(0, 3, 1, 2)

    @staticmethod
    def _read(query: Tensor, keys: Tensor, lengths: Tensor, values: Tensor) -> Tensor:
        """What N cells read from M: (B, N, K), (B, K, M), (B, 1, M) and (B, M, C) -> (B, N, C + 1)."""
        with torch.autocast(query.device.type, enabled=False):  # small differences of large numbers
            # -|q - k|^2; |q|^2 is the same for all keys and cancels in the softmax.
            similarity = torch.baddbmm(-lengths, query, keys, alpha=2)
            best = similarity.amax(dim=2, keepdim=True) - query.square().sum(2, keepdim=True)
            weights = similarity.softmax(dim=2).to(values.dtype)
        return torch.cat((torch.bmm(weights, values), torch.exp(best).to(values.dtype)), dim=2)

    def _key(self, features: Tensor, positions: Tensor) -> Tensor:
        """Keys (N, KEY + 2, h, w), in 32 bits: distances are small differences of large numbers."""
        looks = self.key(features).float() / math.sqrt(math.sqrt(KEY))
        return torch.cat((looks, positions.float() * self.nearness.float().exp()), dim=1)
