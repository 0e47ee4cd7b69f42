"""One light for two pictures: flashes, fades, lamps switched on and off."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

TOLERANCE = 20 / 255  # shift of a channel's quantiles that counts as another light
_QUANTILES = (0.1, 0.3, 0.5, 0.7, 0.9)
_DARK, _BRIGHT = 3 / 255, 252 / 255  # quantiles beyond these are cut off, and tell nothing
_STRONGEST = 6.0  # gain
_EXPLAINED = 0.5  # share of the difference of aligned pictures that another light leaves, at most
_PIXELS = 64  # along each side of a grid of pixels that take part


class Exposure(NamedTuple):
    """What a picture's values become in another light: gain * value + offset, for each channel.

    Attributes:
        gain: (1, 3, 1, 1), above 0.
        offset: (1, 3, 1, 1).
    """

    gain: Tensor
    offset: Tensor

    def apply(self, image: Tensor) -> Tensor:
        """An image (B, 3, H, W) in [0, 1] in that light, cut off at the bounds."""
        return (image * self.gain + self.offset).clamp_(0, 1)

    def undo(self, image: Tensor) -> Tensor:
        """An image (B, 3, H, W) of that light in the first one, cut off at the bounds."""
        return ((image - self.offset) / self.gain).clamp_(0, 1)


def exposure_between(image: Tensor, reference: Tensor, *, aligned: bool = False) -> Exposure | None:
    """How to bring an image into the light of another one that shows about the same.

    Their colours as distributions are compared, so that nothing has to lie at the same place. A line through
    the quantiles of each channel, those that are cut off left out.

    Args:
        image: (1, 3, H, W) in [0, 1].
        reference: (1, 3, h, w) in [0, 1].
        aligned: both show the same at the same places, of one size. Then another light must explain most of
            how they differ: what comes and goes changes distributions too.

    Returns:
        None where the light is the same, as far as can be told.
    """
    here, there = (_quantiles(picture) for picture in (image, reference))
    if float((here - there).abs().mean(dim=1).max()) < TOLERANCE:
        return None
    told = ((here > _DARK) & (here < _BRIGHT) & (there > _DARK) & (there < _BRIGHT)).float()
    count = told.sum(dim=1, keepdim=True)
    mean_here, mean_there = (
        (told * values).sum(dim=1, keepdim=True) / count.clamp_min(1) for values in (here, there)
    )
    spread = (told * (here - mean_here).square()).sum(dim=1, keepdim=True)
    together = (told * (here - mean_here) * (there - mean_there)).sum(dim=1, keepdim=True)
    # Of a channel with less than three quantiles, or the same ones, only the shift is known.
    known = (count > 2) & (spread > 1e-4)
    gain = torch.where(known, together / spread.clamp_min(1e-4), 1.0).clamp(1 / _STRONGEST, _STRONGEST)
    offset = torch.where(count > 0, mean_there - gain * mean_here, 0.0)
    found = Exposure(gain.view(1, 3, 1, 1), offset.view(1, 3, 1, 1))
    if aligned:
        image, reference = _grid(image), _grid(reference)
        if _difference(found.apply(image), reference) > _EXPLAINED * _difference(image, reference):
            return None
    return found


def in_light_of(image: Tensor, reference: Tensor) -> Tensor:
    """The image in the light of the reference, see `exposure_between`; itself where that is alike."""
    found = exposure_between(image, reference)
    return image if found is None else found.apply(image)


def _difference(image: Tensor, reference: Tensor) -> float:
    return float((image - reference).abs().mean(dim=1).median())


def _grid(image: Tensor) -> Tensor:
    """Some pixels, evenly spread."""
    rows, columns = (max(length // _PIXELS, 1) for length in image.shape[-2:])
    return image[..., ::rows, ::columns]


def _quantiles(image: Tensor) -> Tensor:
    """Of each channel, (3, Q)."""
    values = _grid(image)[0].flatten(1)
    if values.device.type == "cpu":  # numpy sorts four times as fast as torch there
        values = torch.from_numpy(np.sort(values.numpy(), axis=1))
    else:
        values = values.sort(dim=1).values
    places = [round(share * (values.shape[1] - 1)) for share in _QUANTILES]
    return values[:, places]
