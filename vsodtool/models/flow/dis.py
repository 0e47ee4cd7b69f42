"""Dense inverse search (Kroeger et al., ECCV 2016) by OpenCV: where `inverse_search.py` is not compiled."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass
from typing import Any, ClassVar

import cv2
import numpy as np

from vsodtool.errors import UsageError
from vsodtool.models.flow.grey_pairs import FloatArray, GreyArray, GreyPairs

_SMALLEST = 32  # OpenCV refuses images below about 12 pixels, and has no pyramid to speak of below this


@dataclass(frozen=True)
class DisSettings:
    """The knobs of DIS that matter.

    Attributes:
        finest_scale: the flow is computed at 1 / 2**finest_scale of the image's size.
        patch_size: in pixels.
        patch_stride: in pixels; must be smaller than the patch.
        gradient_descent_iterations: per patch and scale.
        variational_refinement_iterations: per scale.
    """

    finest_scale: int
    patch_size: int
    patch_stride: int
    gradient_descent_iterations: int
    variational_refinement_iterations: int


# Of `flow`, whose fields stand by themselves, and of FGPLG's training. The densifier composes, refines and
# smooths its flows, and needs others: `pipelines/densify/setup.py`.
QUALITY_SETTINGS = {
    "fast": DisSettings(2, 8, 4, 16, 5),  # OpenCV's preset FAST
    "balanced": DisSettings(1, 8, 3, 25, 5),  # OpenCV's preset MEDIUM
    "best": DisSettings(0, 8, 2, 40, 5),
}


class DisEstimator(GreyPairs):
    """Optical flow by DIS, on the CPU.

    One thread per call is the default, see `GreyPairs`.
    """

    whole: ClassVar[bool] = True
    least_side: ClassVar[int] = _SMALLEST

    def __init__(self, quality: str | DisSettings = "balanced", *, threads: int = 1) -> None:
        """Choose the settings.

        Args:
            quality: fast, balanced, best, or settings of your own.
            threads: of OpenCV within one call. OpenCV knows only one number for the whole process.

        Raises:
            UsageError: there is no such quality.
        """
        if isinstance(quality, str):
            if quality not in QUALITY_SETTINGS:
                expected = ", ".join(QUALITY_SETTINGS)
                raise UsageError(f"quality: expected one of {expected}, found '{quality}'")
            quality = QUALITY_SETTINGS[quality]
        self.settings = quality
        cv2.setNumThreads(threads)

    @property
    def name(self) -> str:
        """`dis` and its settings, in the order of `DisSettings`."""
        return f"dis({','.join(str(value) for value in astuple(self.settings))})"

    def _flow(self, first: GreyArray, second: GreyArray, start: FloatArray | None) -> FloatArray:
        # OpenCV writes its result into what it starts from.
        begin: Any = None if start is None else np.array(start.transpose(1, 2, 0), order="C")
        flow: FloatArray = self._engine(*first.shape).calc(first, second, begin)
        return flow.transpose(2, 0, 1)

    def _engine(self, height: int, width: int) -> Any:
        """A DIS object for images of a size.

        Made for each pair: that costs nothing, and a kept one keeps some 200 bytes a pixel.
        """
        settings = self.settings
        engine = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        engine.setFinestScale(min(settings.finest_scale, _coarsest_scale(height, width, settings.patch_size)))
        engine.setPatchSize(settings.patch_size)
        engine.setPatchStride(settings.patch_stride)
        engine.setGradientDescentIterations(settings.gradient_descent_iterations)
        engine.setVariationalRefinementIterations(settings.variational_refinement_iterations)
        return engine


def _coarsest_scale(height: int, width: int, patch: int) -> int:
    """The coarsest scale that OpenCV uses for a size.

    An object whose finest scale lies above it silently takes other settings and keeps them for all later
    images, so that a flow would depend on what was computed before.
    """
    margin = 1e-6  # rather one scale less than a rounding that differs from OpenCV's
    by_motion = math.log2(max(height, width) / (4 * patch)) + 0.5 - margin
    by_patch = math.log2(min(height, width) / patch) - margin
    return max(0, math.floor(min(by_motion, by_patch)))
