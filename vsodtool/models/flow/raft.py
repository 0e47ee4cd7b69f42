"""RAFT (Teed and Deng, ECCV 2020) by torchvision: the backend of the GPU."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torchvision.models.optical_flow import (
    Raft_Large_Weights,
    Raft_Small_Weights,
    raft_large,
    raft_small,
)

from vsodtool.checks import check_image, check_same_size
from vsodtool.errors import UsageError, WeightsError
from vsodtool.media.weights.checkpoints import fetch_torchvision_weights
from vsodtool.models.turns import Turns
from vsodtool.types import Event, OnEvent, ignore_event

_MODELS: dict[str, tuple[Any, Any]] = {
    "raft-small": (raft_small, Raft_Small_Weights.C_T_V2),
    "raft-large": (raft_large, Raft_Large_Weights.C_T_SKHT_V2),
}
_UPDATES = {"fast": 6, "balanced": 12, "best": 24}  # recurrent refinements; 12 is torchvision's default
_PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

_MULTIPLE = 8  # the encoder's stride
_CORRELATIONS = 4e8  # of all pairs at once, 4 bytes each and a third more for the pyramid
_SMALLEST = 128  # below, the correlation pyramid (4 levels at 1/8) has no pixels left


class RaftEstimator:
    """Optical flow by RAFT."""

    def __init__(
        self,
        variant: str = "raft-large",
        *,
        quality: str = "balanced",
        device: torch.device | None = None,
        weights: Mapping[str, Tensor] | None = None,
        precision: str = "auto",
        on_event: OnEvent = ignore_event,
    ) -> None:
        """Build the network and load its weights.

        Args:
            variant: raft-small or raft-large.
            quality: fast, balanced or best: the number of refinements.
            device: where to compute; None = CPU.
            weights: a state dict; None fetches the declared weights of torchvision.
            precision: auto, fp32, bf16 or fp16; applies to CUDA only, elsewhere it is always fp32.
            on_event: hears of a download.

        Raises:
            UsageError: an unknown variant, quality or precision.
            WeightsError: the weights cannot be had, or are of another network.
        """
        _expect("variant", variant, _MODELS)
        _expect("quality", quality, _UPDATES)
        _expect("precision", precision, ["auto", *_PRECISIONS])
        self._variant = variant
        self._updates = _UPDATES[quality]
        self._device = device or torch.device("cpu")
        self._dtype = _dtype(precision, self._device)
        if weights is None:
            weights = fetch_torchvision_weights(
                declared_weights(variant), on_download=lambda line: on_event(Event("notice", message=line))
            )
        network: nn.Module = _MODELS[variant][0](weights=None)
        try:
            network.load_state_dict(weights)
        except RuntimeError as error:
            reason = str(error).splitlines()[-1].strip()
            raise WeightsError(f"the weights are not those of {variant}: {reason}") from error
        self._network = network.eval().requires_grad_(False).to(self._device)
        self._turns, self._lock = Turns(self._device), threading.Lock()

    @property
    def name(self) -> str:
        """Variant, number of refinements and precision."""
        return f"{self._variant}({self._updates},{str(self._dtype).removeprefix('torch.')})"

    def estimate(self, image_a: Tensor, image_b: Tensor, *, initial: Tensor | None = None) -> Tensor:
        """Flow from a to b.

        Convention: images float (B, 3, H, W) RGB in [0, 1], of any size; returns float32 (B, 2, H, W) in
        pixels on the images' device, b(x + flow(x)) = a(x). `initial` is not used. Several threads may
        call at once; the network answers one after the other. Pairs are computed together as far as their
        correlations fit.

        Raises:
            ShapeError: the tensors have other shapes or do not agree.
        """
        del initial
        check_image(image_a, "image_a")
        check_image(image_b, "image_b")
        check_same_size(image_a, image_b, "image_a and image_b")
        few = max(int(_CORRELATIONS // (image_a[0, 0].numel() / _MULTIPLE**2) ** 2), 1)
        parts = zip(torch.split(image_a, few), torch.split(image_b, few), strict=True)
        return torch.cat([self._turns.call(self._flow, *pairs) for pairs in parts])

    def _flow(self, image_a: Tensor, image_b: Tensor) -> Tensor:
        padding = _padding(*image_a.shape[-2:])
        left, _, top, _ = padding
        height, width = image_a.shape[-2:]
        mixed = self._dtype is not torch.float32
        precision = torch.autocast(self._device.type, self._dtype, enabled=mixed)
        # torchvision's network keeps its correlations in itself while it works.
        with self._lock, torch.inference_mode(), precision:
            flows = self._network(
                self._prepared(image_a, padding),
                self._prepared(image_b, padding),
                num_flow_updates=self._updates,
            )
            flow: Tensor = flows[-1][..., top : top + height, left : left + width]
        # A clone outside of inference mode: an ordinary tensor, free of the padded one.
        return flow.to(image_a.device, torch.float32).clone()

    def _prepared(self, image: Tensor, padding: tuple[int, int, int, int]) -> Tensor:
        """On the network's device, padded, in [-1, 1] as the weights' own transform gives it."""
        return F.pad(image.to(self._device, torch.float32), padding, mode="replicate") * 2 - 1


def declared_weights(variant: str) -> Any:
    """torchvision's entry (url, checksum, licence, metrics) for raft-small or raft-large.

    Raises:
        UsageError: there is no such variant.
    """
    _expect("variant", variant, _MODELS)
    return _MODELS[variant][1]


def _padding(height: int, width: int) -> tuple[int, int, int, int]:
    """Left, right, top, bottom up to a multiple of 8 and at least 128, the image in the middle."""
    sides = []
    for size in (width, height):
        missing = max(_SMALLEST, -(-size // _MULTIPLE) * _MULTIPLE) - size
        sides += [missing // 2, missing - missing // 2]
    return sides[0], sides[1], sides[2], sides[3]


def _dtype(precision: str, device: torch.device) -> torch.dtype:
    if device.type != "cuda":
        return torch.float32
    if precision == "auto":
        precision = "bf16" if torch.cuda.is_bf16_supported() else "fp16"
    return _PRECISIONS[precision]


def _expect(option: str, value: str, known: Any) -> None:
    if value not in known:
        raise UsageError(f"{option}: expected one of {', '.join(known)}, found '{value}'")
