"""The learned densifier ready to run: evidence in, soft labels out."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import nullcontext

import torch
from torch import Tensor

from vsodtool.models.evidence.network import EvidenceInput, EvidenceNet
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
    def decide_together(self, evidences: Sequence[EvidenceInput], knowns: Sequence[Tensor]) -> Tensor:
        """The logits of N objects, float32 (N, 1, H, W), where their maps are.

        Args:
            evidences: about each, maps of one size; `images` are not looked at.
            knowns: what `look` saw in the images of each.
        """
        moved = [EvidenceInput(*(part.to(self.device) for part in each)) for each in evidences]
        with self._turn, exact_products(self._dtype):
            return self._network.decide_together(moved, knowns).to(evidences[0].maps.device)
