"""Augmentation of clips: drawn once, applied to every frame alike, so that motion stays motion."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from vsodtool.errors import ConfigError
from vsodtool.media.crops import WHOLE, Box

_TRIES = 10
_GREY = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601 luma
_TO_YIQ = np.array([_GREY, [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
_FROM_YIQ = np.linalg.inv(_TO_YIQ)


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How clips are varied.

    Attributes:
        flip: probability of mirroring left and right.
        reverse: probability of reversing the order of the frames.
        gap: the frames of a clip are up to so many labelled frames apart, drawn anew for each (1 = the paper:
            consecutive).
        scale: smallest and largest side of the crop as a share of the frame.
        aspect: the crop's height : width is stretched by at most this factor, at least 1.
        keep: share of the object's pixels that a crop should hold; redrawn otherwise, and the whole frame in
            the end.
        colour: strength of the changes of brightness, contrast and saturation, each a factor in 1 +- colour;
            the hue turns by at most a tenth of it.
        blur: probability of a Gaussian blur.
        blur_sigma: its largest standard deviation, as a share of the side of the square.
        blind: probability that the pictures of a clip are one grey, where there are motion maps to go by.
        still: probability that the motion maps of a clip are those of things at rest.
    """

    flip: float = 0.5
    reverse: float = 0.5
    gap: int = 1
    scale: tuple[float, float] = (0.6, 1.0)
    aspect: float = 1.2
    keep: float = 0.7
    colour: float = 0.2
    blur: float = 0.15
    blur_sigma: float = 0.005
    blind: float = 0.1
    still: float = 0.15

    def __post_init__(self) -> None:
        """Refuse values out of range.

        Raises:
            ConfigError: naming the value, what was expected and what was found.
        """
        for name in ("flip", "reverse", "keep", "blur", "blind", "still"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"augmentation: {name}: expected 0 to 1, found {getattr(self, name)}")
        if self.gap < 1:
            raise ConfigError(f"augmentation: gap: expected at least 1, found {self.gap}")
        if not 0 < self.scale[0] <= self.scale[1] <= 1:
            raise ConfigError(
                f"augmentation: scale: expected 0 < smallest <= largest <= 1, found {self.scale}"
            )
        if not (self.aspect >= 1 and 0 <= self.colour < 1 and 0 <= self.blur_sigma <= 0.1):
            raise ConfigError(
                "augmentation: expected aspect >= 1, colour in [0, 1) and blur_sigma in [0, 0.1], "
                f"found {self.aspect}, {self.colour} and {self.blur_sigma}"
            )

    def draw_box(self, rng: np.random.Generator, salient: npt.NDArray[np.bool_]) -> Box:
        """A crop that holds enough of the object; of anything where nothing is salient.

        Args:
            rng: source of chance.
            salient: bool (H, W), what is salient in any frame of the clip.
        """
        if self.scale == (1.0, 1.0) and self.aspect == 1:
            return WHOLE
        total = int(np.count_nonzero(salient))
        size = salient.shape[0], salient.shape[1]
        for _ in range(_TRIES):
            side = rng.uniform(*self.scale)
            stretch = math.exp(rng.uniform(-1, 1) * math.log(self.aspect) / 2)
            height, width = min(side * stretch, 1.0), min(side / stretch, 1.0)
            box = Box(rng.uniform(0, 1 - height), rng.uniform(0, 1 - width), height, width)
            if np.count_nonzero(salient[box.pixels(size)]) >= self.keep * total:
                return box
        return WHOLE

    def draw_look(self, rng: np.random.Generator) -> Look:
        """How the frames of a clip look: flipped or not, sharpness, colours; the same for all of them."""
        flip = bool(rng.random() < self.flip)
        brightness, contrast, saturation = 1 + self.colour * rng.uniform(-1, 1, 3)
        turn = 2 * math.pi * 0.1 * self.colour * rng.uniform(-1, 1)
        sigma = self.blur_sigma * rng.uniform(0.2, 1) if rng.random() < self.blur else 0.0
        if not self.colour:
            return Look(flip=flip, blur=sigma)
        hue = np.array([[1, 0, 0], [0, math.cos(turn), -math.sin(turn)], [0, math.sin(turn), math.cos(turn)]])
        turned = _FROM_YIQ @ hue @ _TO_YIQ
        saturated = saturation * np.eye(3) + (1 - saturation) * _GREY[None, :]
        matrix = brightness * contrast * saturated @ turned
        return Look(flip=flip, blur=sigma, matrix=matrix, offset=0.5 * (1 - contrast))


AUGMENTATION = Augmentation()
NO_AUGMENTATION = Augmentation(flip=0, reverse=0, scale=(1, 1), aspect=1, colour=0, blur=0, blind=0, still=0)
PAPER = replace(NO_AUGMENTATION, reverse=0.5)  # section 4.1: random reversal in time, nothing else


@dataclass(frozen=True)
class Look:
    """What happens to the frames of one clip after cropping.

    Attributes:
        flip: mirror left and right.
        blur: standard deviation of a Gaussian as a share of the width, 0 for none.
        matrix: (3, 3), applied to RGB in [0, 1]; None leaves the colours alone.
        offset: added after the matrix.
    """

    flip: bool = False
    blur: float = 0.0
    matrix: npt.NDArray[np.float64] | None = None
    offset: float = 0.0

    def apply(self, images: Tensor) -> Tensor:
        """The pictures of a clip, uint8 (T, 3, H, W) -> the same; mirroring included."""
        images = self.mirror(images)
        if self.matrix is None and not self.blur:
            return images
        values = images.float()
        if self.matrix is not None:
            matrix = torch.from_numpy(self.matrix).float()
            # As a matrix product: several times as fast as a convolution of three channels.
            products = torch.matmul(matrix, values.flatten(2)).view_as(values)
            # Clamped before the blur: a camera blurs light, not numbers beyond its range.
            values = products.add_(255 * self.offset).clamp_(0, 255)
        if self.blur:
            values = _blur(values, self.blur * images.shape[-1])
        return values.add_(0.5).clamp_(0, 255).to(torch.uint8)

    def mirror(self, maps: Tensor) -> Tensor:
        """Labels or weights (..., H, W) mirrored as the pictures are."""
        return maps.flip(-1) if self.flip else maps


def _blur(values: Tensor, sigma: float) -> Tensor:
    radius = max(math.ceil(2.5 * sigma), 1)
    places = torch.arange(-radius, radius + 1, dtype=values.dtype)
    kernel = torch.exp(-0.5 * (places / sigma) ** 2)
    kernel = (kernel / kernel.sum()).expand(3, 1, -1)
    padded = functional.pad(values, [radius] * 4, mode="replicate")
    across = functional.conv2d(padded, kernel[:, :, None, :], groups=3)
    return functional.conv2d(across, kernel[:, :, :, None], groups=3)
