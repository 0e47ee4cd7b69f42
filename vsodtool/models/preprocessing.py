"""What an image goes through before a network sees it: stored beside the weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from vsodtool.errors import ConfigError

if TYPE_CHECKING:
    from torch import Tensor

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
HALF_MEAN, HALF_STD = (127 / 255,) * 3, (128 / 255,) * 3  # of networks that were Google's
STEP = 16  # sizes are multiples of this: the deepest features are then whole
SMALLEST = 64


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """Resized to a square, as in the paper, and normalised channel by channel.

    Attributes:
        size: side of the square in pixels, a multiple of 16; 448 in the paper.
        mean: of the channels red, green, blue, for values in [0, 1].
        std: likewise.
    """

    size: int = 448
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD

    def __post_init__(self) -> None:
        """Refuse what no network here can take.

        Raises:
            ConfigError: naming the value, what was expected and what was found.
        """
        whole = isinstance(self.size, int) and not isinstance(self.size, bool)
        if not whole or self.size < SMALLEST or self.size % STEP:
            raise ConfigError(
                f"size: expected a multiple of {STEP} of at least {SMALLEST}, found {self.size!r}"
            )
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) != 3 or (name == "std" and min(values) <= 0):
                raise ConfigError(f"preprocessing: {name}: expected three numbers, found {values!r}")

    def normalise(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] -> the same shape, what the network was trained on."""
        mean = images.new_tensor(self.mean).view(1, 3, 1, 1)
        std = images.new_tensor(self.std).view(1, 3, 1, 1)
        return (images - mean) / std

    def as_dict(self) -> dict[str, Any]:
        """In JSON types."""
        return {**asdict(self), "mean": list(self.mean), "std": list(self.std)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Preprocessing:
        """The opposite of `as_dict`.

        Raises:
            ConfigError: a value is unknown or impossible.
        """
        unknown = sorted(values.keys() - {field.name for field in fields(cls)})
        if unknown:
            raise ConfigError(f"preprocessing: unknown value '{unknown[0]}'")
        lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list | tuple)}
        return cls(**{**values, **lists})
