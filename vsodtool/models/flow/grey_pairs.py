"""What estimators have in common that look at grey images on the CPU, a pair at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt

from vsodtool.checks import check_flow, check_image, check_same_size
from vsodtool.models.flow.luma import luma

if TYPE_CHECKING:
    from torch import Tensor

FloatArray = npt.NDArray[np.float32]
GreyArray = npt.NDArray[np.generic]
_Number = TypeVar("_Number", bound=np.generic)


class GreyPairs(ABC):
    """Flow of batches of images, of which each pair is estimated by itself by `_flow`.

    One thread a call: many pairs side by side use the cores better than one pair split up.

    Attributes:
        whole: grey levels are uint8, else float32 in [0, 255].
        least_side: smaller images are enlarged to it, the border repeated.
    """

    whole: ClassVar[bool] = False
    least_side: ClassVar[int] = 1

    def estimate(self, image_a: Tensor, image_b: Tensor, *, initial: Tensor | None = None) -> Tensor:
        """Flow from a to b.

        Convention: images float (B, 3, H, W) RGB in [0, 1], of any size; returns float32 (B, 2, H, W) in
        pixels on the images' device, b(x + flow(x)) = a(x). `initial`, of the same shape, is where the search
        starts. Several threads may call at once.

        Raises:
            ShapeError: the tensors have other shapes or do not agree.
            MemoryError: there is none for it.
        """
        import torch

        check_image(image_a, "image_a")
        check_image(image_b, "image_b")
        check_same_size(image_a, image_b, "image_a and image_b")
        starts: list[FloatArray | None] = [None] * len(image_a)
        if initial is not None:
            check_flow(initial, "initial")
            check_same_size(image_a, initial, "image_a and initial")
            starts = list(initial.detach().float().cpu().numpy())
        height, width = image_a.shape[-2:]
        flows = np.empty((len(image_a), 2, height, width), np.float32)
        pairs = zip(luma(image_a, whole=self.whole), luma(image_b, whole=self.whole), starts, strict=True)
        for index, (first, second, start) in enumerate(pairs):
            begin = None if start is None else self._roomy(start)
            flow = self._flow(self._roomy(first), self._roomy(second), begin)
            flows[index] = flow[:, :height, :width]
        return torch.from_numpy(flows).to(image_a.device)

    def _roomy(self, values: npt.NDArray[_Number]) -> npt.NDArray[_Number]:
        """(..., H, W) with sides of `least_side` pixels at least, the border repeated."""
        below, beside = (max(0, self.least_side - side) for side in values.shape[-2:])
        if not below and not beside:
            return values
        return np.pad(values, [(0, 0)] * (values.ndim - 2) + [(0, below), (0, beside)], mode="edge")

    @abstractmethod
    def _flow(self, first: GreyArray, second: GreyArray, start: FloatArray | None) -> FloatArray:
        """One pair of grey levels (H, W), and (2, H, W) to start from, not changed -> (2, H, W)."""
