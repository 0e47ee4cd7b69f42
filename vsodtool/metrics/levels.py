"""A prediction as numbered levels: every measure of a frame follows from counting them.

A map of 8 bits has 256 values, however many pixels it has. Whatever is done to the values (division by 255,
the min-max stretch, the 256 thresholds) is done to this table, and the pixels keep their integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from vsodtool.errors import DataError
from vsodtool.metrics.arguments import FloatArray

Normalize: TypeAlias = Literal["min-max", "none"]


@dataclass(frozen=True)
class Levels:
    """A prediction map.

    Attributes:
        index: unsigned integer (H, W), the level of each pixel.
        values: float64 (L,), what each level stands for, in [0, 1], not falling; levels that no pixel has are
            there too.
    """

    index: npt.NDArray[Any]
    values: FloatArray

    @property
    def bins(self) -> npt.NDArray[np.uint8]:
        """uint8 (L,): the greatest k with k/255 <= value, so that value >= k/255 is bin >= k.

        Rounded as the reference does, `(value * 255).astype(uint8)`.
        """
        return (self.values * 255).astype(np.uint8)

    def image(self) -> FloatArray:
        """The map itself, float64 (H, W)."""
        return self.values.take(self.index)


def as_levels(prediction: npt.NDArray[Any], normalize: Normalize = "min-max") -> Levels:
    """Read a prediction as the benchmarks do.

    Args:
        prediction: (H, W); uint8, uint16, bool, or float in [0, 1].
        normalize: "min-max": (p - min) / (max - min) where max > min, as the saliency benchmarks do per
            frame; "none": the value as it is, 8 bits divided by 255, 16 bits by 65535.

    Returns:
        Its levels. Stretched values are those of `pysodmetrics` bit for bit: it divides by 255 before it
        stretches, whatever the number of bits, and so does this. Two differences: a constant map, which
        cannot be stretched, is divided by the greatest value of its type (255, 65535 or 1), where
        `pysodmetrics` divides by 255 and takes a 16-bit map out of [0, 1]; and 32-bit floats are computed
        with in 64 bits.

    Raises:
        DataError: not 2-D, no pixels, another type, a value outside [0, 1] or NaN, or an unknown `normalize`.
    """
    if prediction.ndim != 2 or prediction.size == 0:
        raise DataError(f"prediction: expected a map (H, W), found {prediction.shape}", "use one channel")
    if normalize not in ("min-max", "none"):
        raise DataError(f"normalize: expected min-max or none, found {normalize}")
    index, table = _table(prediction)
    low, high = int(index.min()), int(index.max())
    if normalize == "none" or low == high:
        return Levels(index, table / _one(prediction.dtype))
    divided = table / 255
    stretched = (divided - divided[low]) / (divided[high] - divided[low])
    return Levels(index, np.clip(stretched, 0, 1))  # what is clipped are levels that no pixel has


def _one(dtype: np.dtype[Any]) -> float:
    """The number that stands for 1."""
    return float(np.iinfo(dtype).max) if dtype in (np.uint8, np.uint16) else 1.0


def _table(prediction: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], FloatArray]:
    """Level of each pixel, and the number that each level stands for."""
    if prediction.dtype == np.bool_:
        return prediction.view(np.uint8), np.arange(2, dtype=np.float64)
    if prediction.dtype in (np.uint8, np.uint16):
        return prediction, np.arange(np.iinfo(prediction.dtype).max + 1, dtype=np.float64)
    if not np.issubdtype(prediction.dtype, np.floating):
        raise DataError(
            f"prediction: expected uint8, uint16, bool or float, found {prediction.dtype}",
            "write it as an 8-bit or 16-bit PNG",
        )
    values, index = np.unique(prediction.astype(np.float64), return_inverse=True)
    if not (values[0] >= 0 and values[-1] <= 1):  # NaN sorts last and is caught too
        raise DataError(
            f"prediction: expected values in [0, 1], found [{values[0]:g}, {values[-1]:g}]",
            "divide an 8-bit map by 255",
        )
    return index.reshape(prediction.shape).astype(np.uint32), values
