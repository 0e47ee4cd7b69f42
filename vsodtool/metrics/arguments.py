"""What a measure accepts: pairs of masks or maps of one size."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from vsodtool.errors import DataError

BoolArray: TypeAlias = npt.NDArray[np.bool_]  # (H, W), True = object
FloatArray: TypeAlias = npt.NDArray[np.float64]


def require_mask_pair(pred: npt.NDArray[Any], truth: npt.NDArray[Any]) -> None:
    """Refuse anything but two bool arrays of one 2-D shape.

    Raises:
        DataError: a mask is not bool, not 2-D, empty, or the sizes differ.
    """
    for name, mask in (("pred", pred), ("truth", truth)):
        if mask.dtype != np.bool_:
            raise DataError(
                f"{name}: expected a bool mask, found {mask.dtype}",
                "binarise first, for instance `mask > 127`",
            )
    require_same_size(pred, truth)


def require_same_size(pred: npt.NDArray[Any], truth: npt.NDArray[Any]) -> None:
    """Refuse two arrays that are not 2-D, not of one size, or without pixels.

    Raises:
        DataError: naming both sizes.
    """
    if pred.ndim != 2 or pred.shape != truth.shape or pred.size == 0:
        raise DataError(
            f"expected two maps of one size (H, W), found pred {pred.shape} and truth {truth.shape}",
            "resize the prediction to the size of the truth",
        )


def without_void(pred: BoolArray, truth: BoolArray, void: BoolArray | None) -> tuple[BoolArray, BoolArray]:
    """Take the pixels that do not count out of both masks.

    Raises:
        DataError: the void is not a bool mask of the same size.
    """
    if void is None:
        return pred, truth
    if void.dtype != np.bool_ or void.shape != truth.shape:
        raise DataError(f"void: expected a bool mask {truth.shape}, found {void.dtype} {void.shape}")
    return pred & ~void, truth & ~void
