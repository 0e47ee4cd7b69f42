"""Dense inverse search (Kroeger et al., ECCV 2016) by our own loops: on the CPU, where they are compiled.

Beside OpenCV's (`dis.py`): steps of full length where OpenCV's have an eighth, so three do for twelve; wider
registers; the refinement of a row stays in the cache. benchmarks/TRIED.md, "A flow of our own".
"""

from __future__ import annotations

from dataclasses import astuple
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from vsodtool.checks import check_flow, check_image, check_same_size
from vsodtool.models.flow.luma import luma
from vsodtool.native.library import LEAST_SIDE, Library, SearchSettings

if TYPE_CHECKING:
    from torch import Tensor

FloatArray = npt.NDArray[np.float32]


class InverseSearchEstimator:
    """Optical flow by dense inverse search; the same bits on every machine of one kind.

    One thread a call: many pairs side by side use the cores better than one pair split up.

    Args:
        library: see `vsodtool.native.library.library`.
        settings: its knobs.
    """

    def __init__(self, library: Library, settings: SearchSettings) -> None:
        self._library, self.settings = library, settings

    @property
    def name(self) -> str:
        """`inverse-search` and its settings, in the order of `SearchSettings`."""
        return f"inverse-search({','.join(str(value) for value in astuple(self.settings))})"

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
        flows = np.empty((len(image_a), 2, *image_a.shape[-2:]), np.float32)
        pairs = zip(luma(image_a), luma(image_b), starts, strict=True)
        for index, (first, second, start) in enumerate(pairs):
            flows[index] = self._flow(cast(FloatArray, first), cast(FloatArray, second), start)
        return torch.from_numpy(flows).to(image_a.device)

    def _flow(self, first: FloatArray, second: FloatArray, start: FloatArray | None) -> FloatArray:
        height, width = first.shape
        padding = ((0, max(0, LEAST_SIDE - height)), (0, max(0, LEAST_SIDE - width)))
        if any(after for _, after in padding):
            first, second = np.pad(first, padding, mode="edge"), np.pad(second, padding, mode="edge")
            start = start if start is None else np.pad(start, ((0, 0), *padding), mode="edge")
        return self._library.flow(first, second, start, self.settings)[:, :height, :width]
