"""Dense inverse search (Kroeger et al., ECCV 2016) by OpenCV: where `inverse_search.py` is not compiled."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np
import numpy.typing as npt

from vsodtool.checks import check_flow, check_image, check_same_size
from vsodtool.errors import UsageError
from vsodtool.models.flow.luma import luma

if TYPE_CHECKING:
    from torch import Tensor


FloatArray = npt.NDArray[np.float32]
GreyArray = npt.NDArray[np.uint8]

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


class DisEstimator:
    """Optical flow by DIS, on the CPU.

    One thread per call is the default: many pairs side by side use the cores better than one pair split up.
    """

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

    def estimate(self, image_a: Tensor, image_b: Tensor, *, initial: Tensor | None = None) -> Tensor:
        """Flow from a to b.

        Convention: images float (B, 3, H, W) RGB in [0, 1], of any size; returns float32 (B, 2, H, W) in
        pixels on the images' device, b(x + flow(x)) = a(x). `initial`, of the same shape, is where the search
        starts. Several threads may call at once.

        Raises:
            ShapeError: the tensors have other shapes or do not agree.
        """
        import torch

        check_image(image_a, "image_a")
        check_image(image_b, "image_b")
        check_same_size(image_a, image_b, "image_a and image_b")
        if initial is not None:
            check_flow(initial, "initial")
            check_same_size(image_a, initial, "image_a and initial")
        guesses = [None] * len(image_a) if initial is None else list(_flow_arrays(initial))
        flows = np.empty((len(image_a), 2, *image_a.shape[-2:]), np.float32)
        pairs = zip(luma(image_a, whole=True), luma(image_b, whole=True), guesses, strict=True)
        for index, (grey_a, grey_b, guess) in enumerate(pairs):
            flow = self._flow(cast(GreyArray, grey_a), cast(GreyArray, grey_b), guess)
            flows[index] = flow.transpose(2, 0, 1)
        return torch.from_numpy(flows).to(image_a.device)

    def _flow(self, grey_a: GreyArray, grey_b: GreyArray, guess: FloatArray | None) -> FloatArray:
        """One pair of uint8 (H, W) -> float32 (H, W, 2). `guess` is not changed."""
        height, width = grey_a.shape
        padding = ((0, max(0, _SMALLEST - height)), (0, max(0, _SMALLEST - width)))
        if any(after for _, after in padding):
            grey_a, grey_b = np.pad(grey_a, padding, mode="edge"), np.pad(grey_b, padding, mode="edge")
            guess = guess if guess is None else np.pad(guess, (*padding, (0, 0)), mode="edge")
        start: Any = None if guess is None else guess.copy()  # OpenCV writes its result into it
        flow: FloatArray = self._engine(*grey_a.shape).calc(grey_a, grey_b, start)
        return flow[:height, :width]

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


def _flow_arrays(flows: Tensor) -> FloatArray:
    """(B, 2, H, W) -> contiguous (B, H, W, 2), float32."""
    array: FloatArray = flows.detach().float().cpu().permute(0, 2, 3, 1).contiguous().numpy()
    return array
