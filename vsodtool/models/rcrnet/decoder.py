"""From refined features to one logit per pixel, and the same function several times as fast on CPUs."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor, nn

from vsodtool.models.rcrnet.layers import ConvBnRelu, resize
from vsodtool.types import Size


class Decoder(nn.Module):
    """Resize to the size of the input, 3x3 conv-BN-ReLU, 1x1 convolution."""

    def __init__(self, channels_in: int, width: int) -> None:
        super().__init__()
        self.hidden = ConvBnRelu(channels_in, width, 3)
        self.logit = nn.Conv2d(width, 1, 1)

    def forward(self, features: Tensor, size: Size) -> Tensor:
        """(N, channels_in, h, w) -> logits (N, 1, *size)."""
        return self.logit(self.hidden(resize(features, size)))  # type: ignore[no-any-return]


ROWS = 32  # output rows at a time: what is made for them stays in the cache
COLUMNS = 64


class EnlargedDecoder(nn.Module):
    """A decoder whose 3x3 convolution is taken apart and moved before the enlargement.

    `Decoder` enlarges its features (four times each way) and convolves them there, which is most of the work
    of the whole network. Enlarging is linear and the same for all channels, so each of the nine taps of the
    convolution may act before it: y = sum_k shift_k(U(W_k x)), at a sixteenth of the products. What is left
    at the full size is the sum of shifted enlargements, a sparse product per axis, done here tile by tile.
    """

    def __init__(self, decoder: Decoder) -> None:
        """Take the weights over.

        Args:
            decoder: with its normalisation folded into the convolution.
        """
        super().__init__()
        hidden = decoder.hidden.conv
        assert hidden.bias is not None, "fold the normalisation first"
        width, channels = hidden.weight.shape[:2]
        # (kh, C, kw * D): one product per row of taps gives the taps of a row side by side.
        taps = hidden.weight.detach().permute(2, 1, 3, 0).reshape(3, channels, 3 * width)
        self.taps = nn.Parameter(taps.contiguous(), requires_grad=False)
        self.bias = nn.Parameter(hidden.bias.detach().clone(), requires_grad=False)
        self.logit = nn.Parameter(decoder.logit.weight.detach().reshape(width).clone(), requires_grad=False)
        assert decoder.logit.bias is not None
        self.logit_bias = nn.Parameter(decoder.logit.bias.detach().clone(), requires_grad=False)

    def forward(self, features: Tensor, size: Size) -> Tensor:
        """(N, channels_in, h, w) -> logits (N, 1, *size)."""
        rows = _shifted_enlargement(features.shape[-2], size[0], features.dtype)
        columns = _shifted_enlargement(features.shape[-1], size[1], features.dtype)
        frames = features.permute(0, 2, 3, 1).contiguous()
        return torch.stack([self._logits(frame, rows, columns) for frame in frames])[:, None]

    def _logits(self, frame: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        """One frame (h, w, C) -> (H, W)."""
        height, width, depth = len(rows), len(columns), len(self.bias)
        result = frame.new_empty(height, width)
        for top in range(0, height, ROWS):
            weights, first, last = _support(rows[top : top + ROWS])
            known = last - first
            # The bias is one more row, always weighted 1: cheaper than adding it at the full size.
            across = frame.new_empty(3 * known + 1, width, depth)
            across[-1] = self.bias
            for tap in range(3):
                products = (frame[first:last] @ self.taps[tap]).view(known, -1, depth)  # (known, w * 3, D)
                self._enlarge_columns(products, columns, across[tap * known : (tap + 1) * known])
            weights = torch.cat((weights, weights.new_ones(len(weights), 1)), dim=1)
            hidden = (weights @ across.view(3 * known + 1, -1)).relu_().view(-1, depth)
            result[top : top + ROWS] = torch.mv(hidden, self.logit).view(-1, width)
        return result + self.logit_bias

    @staticmethod
    def _enlarge_columns(products: Tensor, columns: Tensor, out: Tensor) -> None:
        """Products of a row of taps (known, w * 3, D) -> their shifted sum at the full width, into `out`."""
        for left in range(0, len(columns), COLUMNS):
            part = columns[left : left + COLUMNS]
            weights, first, last = _support(part)
            # (W, kw, w) -> (W, w, kw), the order in which the products lie.
            weights = weights.view(len(part), 3, last - first).transpose(1, 2).reshape(len(part), -1)
            out[:, left : left + COLUMNS] = weights @ products[:, 3 * first : 3 * last]


def _support(weights: Tensor) -> tuple[Tensor, int, int]:
    """The part (n, 3 * known) of (n, 3, length) that is not zero, and where it begins and ends."""
    used = weights.any(dim=0).any(dim=0).nonzero()
    first, last = int(used[0]), int(used[-1]) + 1
    return weights[:, :, first:last].reshape(len(weights), -1), first, last


@lru_cache(maxsize=16)
def _shifted_enlargement(length: int, enlarged: int, dtype: torch.dtype) -> Tensor:
    """What each place after the enlargement, moved by -1, 0, 1, gets of each before: (enlarged, 3, length).

    Made by enlarging unit vectors, so it is the enlargement of `resize` whatever the two sizes. Beyond the
    border the convolution sees zeros.
    """
    units = resize(torch.eye(length)[None, :, :, None], (enlarged, 1))[0, :, :, 0].T  # (enlarged, length)
    padded = torch.nn.functional.pad(units, (0, 0, 1, 1))
    return torch.stack([padded[shift : shift + enlarged] for shift in range(3)], dim=1).to(dtype)
