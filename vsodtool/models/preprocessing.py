"""What an image goes through before a network sees it: stored beside the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from vsodtool.errors import ConfigError
from vsodtool.models.described import Described

if TYPE_CHECKING:
    from torch import Tensor

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
HALF_MEAN, HALF_STD = (127 / 255,) * 3, (128 / 255,) * 3  # of networks that were Google's
STEP = 16  # sizes are multiples of this: the deepest features are then whole
SMALLEST, LARGEST = 64, 4096
LARGEST_VALUE = 1e6  # of a mean or a standard deviation


@dataclass(frozen=True, kw_only=True)
class Preprocessing(Described):
    """Resized to a square, as in the paper, and normalised channel by channel.

    Attributes:
        size: side of the square in pixels, a multiple of 16; 448 in the paper.
        mean: of the channels red, green, blue, for values in [0, 1].
        std: likewise.
    """

    what: ClassVar[str] = "preprocessing"

    size: int = 448
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD

    def __post_init__(self) -> None:
        """Refuse what no network here can take.

        Raises:
            ConfigError: naming the value, what was expected and what was found.
        """
        if type(self.size) is not int or self.size < SMALLEST or self.size % STEP:
            raise ConfigError(
                f"size: expected a multiple of {STEP} of at least {SMALLEST}, found {self.size!r}"
            )
        if self.size > LARGEST:
            raise ConfigError(f"size: expected at most {LARGEST}, found {self.size}")
        for name, values, least in (("mean", self.mean, -LARGEST_VALUE), ("std", self.std, 1e-6)):
            numbers = isinstance(values, tuple) and all(type(value) in (int, float) for value in values)
            if not numbers or len(values) != 3 or not all(least <= v <= LARGEST_VALUE for v in values):
                raise ConfigError(f"preprocessing: {name}: expected three numbers, found {values!r}")

    def normalise(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] -> the same shape, what the network was trained on."""
        mean = images.new_tensor(self.mean).view(1, 3, 1, 1)
        std = images.new_tensor(self.std).view(1, 3, 1, 1)
        return (images - mean) / std
