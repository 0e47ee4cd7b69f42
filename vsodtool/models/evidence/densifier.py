"""The learned densifier ready to run: evidence in, soft labels out."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import nullcontext

import torch
from torch import Tensor

from vsodtool.models.evidence.label_memory import Memories
from vsodtool.models.evidence.network import EvidenceNet, FrameInput
from vsodtool.models.inference.precision import DTYPES, resolve_precision
from vsodtool.models.inference.prepare import exact_products, prepare


class EvidenceDensifier:
    """`EvidenceNet` for inference; several threads may use it at once.

    The network is taken over and changed (`inference.prepare`): the same function, faster.
    """

    def __init__(self, network: EvidenceNet, *, device: torch.device, precision: str = "auto") -> None:
        """Prepare a network.

        Args:
            network: belongs to this object from now on.
            device: that computes.
            precision: auto, fp32, bf16 or fp16.

        Raises:
            UsageError: there is no such precision.
            DeviceError: the device cannot compute in it.
        """
        self.precision = resolve_precision(precision, device)
        self.device = device
        self._dtype = DTYPES[self.precision]
        self._network = prepare(network, device, self._dtype)
        # A GPU gains nothing from several threads.
        self._turn = nullcontext() if device.type == "cpu" else threading.Lock()

    @torch.inference_mode()
    def look(self, images: Tensor) -> Tensor:
        """What the memory needs of labelled frames (1, S, 3, M, N) in [0, 1], on the device."""
        with self._turn, exact_products(self._dtype):
            return self._network.look(images.to(self.device))

    @torch.inference_mode()
    def remember(self, looks: Tensor, labels: Tensor, positions: Tensor) -> Memories:
        """What the memory keeps of labelled frames, on the device; see `EvidenceNet.remember`."""
        with self._turn, exact_products(self._dtype):
            return self._network.remember(looks, labels.to(self.device), positions.to(self.device))

    @torch.inference_mode()
    def decide_together(self, frames: Sequence[FrameInput], memories: Sequence[Memories]) -> Tensor:
        """The logits of N objects, float32 (N, 1, H, W), where their maps are.

        Args:
            frames: what is known of each, maps of one size.
            memories: of the labelled frames of each.
        """
        moved = [FrameInput(*(part.to(self.device) for part in each)) for each in frames]
        with self._turn, exact_products(self._dtype):
            return self._network.decide_together(moved, memories).to(frames[0].maps.device)
