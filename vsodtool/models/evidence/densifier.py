"""The learned densifier ready to run: evidence in, soft labels out."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from vsodtool.models.evidence.label_memory import Memories
from vsodtool.models.evidence.network import EvidenceNet, FrameInput
from vsodtool.models.inference.precision import DTYPES, resolve_precision
from vsodtool.models.inference.prepare import exact_products, prepare
from vsodtool.models.turns import Turns
from vsodtool.ops.labels.evidence_maps import CELL

# Pixels; frames' boxes of other sizes are enlarged to the next one. A GPU plans convolutions for every size
# that it meets, .1 s for all of them, and computes what is enlarged in milliseconds. Labelled frames are left
# as they are: enlarged they cost .005 of J on scooter-black, and each is looked at once.
_STEP = 128
_GREY = 0.5  # is nothing to the network, which sees values around 0; the border repeated costs .0002 of J


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
        self._turns = Turns(device)
        self._step = CELL if device.type == "cpu" else _STEP

    def look(self, images: Tensor) -> Tensor:
        """What the memory needs of labelled frames (1, S, 3, M, N) in [0, 1], on the device."""
        return self._turns.call(self._look, images)

    def remember(self, looks: Tensor, labels: Tensor, positions: Tensor) -> Memories:
        """What the memory keeps of labelled frames, on the device; see `EvidenceNet.remember`."""
        return self._turns.call(self._remember, looks, labels, positions)

    def decide_together(self, frames: Sequence[FrameInput], memories: Sequence[Memories]) -> Tensor:
        """The logits of N objects, float32 (N, 1, H, W), where their maps are.

        Args:
            frames: what is known of each, maps of one size.
            memories: of the labelled frames of each.
        """
        return self._turns.call(self._decide, frames, memories)

    @torch.inference_mode()
    def _look(self, images: Tensor) -> Tensor:
        with exact_products(self._dtype):
            return self._network.look(images.to(self.device))

    @torch.inference_mode()
    def _remember(self, looks: Tensor, labels: Tensor, positions: Tensor) -> Memories:
        with exact_products(self._dtype):
            return self._network.remember(looks, labels.to(self.device), positions.to(self.device))

    @torch.inference_mode()
    def _decide(self, frames: Sequence[FrameInput], memories: Sequence[Memories]) -> Tensor:
        where, (height, width) = frames[0].maps.device, frames[0].maps.shape[-2:]
        roomy = [
            FrameInput(
                _roomy(each.maps.to(self.device), self._step, _GREY),
                each.distances.to(self.device),
                _roomy(each.positions.to(self.device), self._step // CELL, 0.0),
            )
            for each in frames
        ]
        with exact_products(self._dtype):
            logits = self._network.decide_together(roomy, memories)
        return logits[..., :height, :width].to(where)


def _roomy(values: Tensor, step: int, fill: float) -> Tensor:
    """(N, C, h, w) enlarged at the bottom and at the right until both sides are multiples of a step."""
    below, beside = (-length % step for length in values.shape[-2:])
    if not below and not beside:
        return values
    return functional.pad(values, (0, beside, 0, below), value=fill)
