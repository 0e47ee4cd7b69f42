"""FGPLG ready to run: warped labels and flows in, soft labels out."""

from __future__ import annotations

import threading
from contextlib import nullcontext

import torch
from torch import Tensor

from vsodtool.checks import check_flow, check_image, check_tensor
from vsodtool.errors import ShapeError
from vsodtool.models.inference.precision import DTYPES, resolve_precision
from vsodtool.models.inference.prepare import exact_products, prepare
from vsodtool.models.paper.network import fgplg_input
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.rcrnet.network import RcrNet

_OBJECTS_AT_ONCE = {"cpu": 1, "cuda": 8, "mps": 2}  # bounds the memory of videos with many objects

Pair = tuple[Tensor, Tensor]  # of the left and of the right labelled frame


class FgplgDensifier:
    """FGPLG for inference; several threads may use it at once.

    The network is taken over and changed (`inference.prepare`): the same function, faster.
    """

    def __init__(
        self,
        network: RcrNet,
        preprocessing: Preprocessing,
        *,
        device: torch.device,
        precision: str = "fp32",
    ) -> None:
        """Prepare a network.

        Args:
            network: of kind fgplg; belongs to this object from now on.
            preprocessing: what its weights were trained with.
            device: that computes.
            precision: auto, fp32, bf16 or fp16.

        Raises:
            UsageError: there is no such precision.
            DeviceError: the device cannot compute in it.
        """
        self.precision = resolve_precision(precision, device)
        self.device = device
        self.size = preprocessing.size
        self._preprocessing = preprocessing
        self._dtype = DTYPES[self.precision]
        self._network = prepare(network, device, self._dtype)
        self._at_once = _OBJECTS_AT_ONCE.get(device.type, 1)
        # A GPU gains nothing from several threads.
        self._turn = nullcontext() if device.type == "cpu" else threading.Lock()

    @torch.inference_mode()
    def generate(
        self, image: Tensor, warped: Pair, flows: Pair, *, present: list[bool] | None = None
    ) -> Tensor:
        """The soft label of one frame, one pass of the network for each object.

        The paper has one object. Several compete: softmax over their logits and a background whose logit is
        0, which for one object is its sigmoid, and which the largest wins if its sigmoid is above 1/2.

        Args:
            image: the target frame (1, 3, H, W) in [0, 1]; H = W = `size` is what the weights know.
            warped: the labels seen from it, each (1, O, H, W) in [0, 1].
            flows: from it to the labelled frames, each (1, 2, H, W) in pixels of this size.
            present: for each object whether a label shows it; one that none shows gets 0, without a pass.
                None = all.

        Returns:
            Probabilities, float32 (1, O, H, W) that sum to at most 1, where the image is.

        Raises:
            ShapeError: the tensors have other shapes or do not agree.
        """
        _check(image, warped, flows)
        left, right = warped
        count = left.shape[1]
        wanted = [number for number in range(count) if present is None or present[number]]
        logits = image.new_full((count, 1, *image.shape[-2:]), -torch.inf)
        frame = self._preprocessing.normalise(image.to(self.device))
        there, back = (flow.to(self.device) for flow in flows)
        for start in range(0, len(wanted), self._at_once):
            some = wanted[start : start + self._at_once]
            of_objects = [side[0, some, None].to(self.device) for side in (left, right)]
            values = fgplg_input(
                frame.expand(len(some), -1, -1, -1),
                (of_objects[0], of_objects[1]),
                (there.expand(len(some), -1, -1, -1), back.expand(len(some), -1, -1, -1)),
            )
            values = values.to(self._dtype, memory_format=torch.channels_last)
            with self._turn, exact_products(self._dtype):
                logits[some] = self._network(values).float().to(image.device)
        return torch.cat((torch.zeros_like(logits[:1]), logits)).softmax(dim=0)[1:, 0][None]


def _check(image: Tensor, warped: Pair, flows: Pair) -> None:
    check_image(image)
    for label in warped:
        check_tensor(label, "warped label")
    for flow in flows:
        check_flow(flow)
    shapes = [tuple(part.shape) for part in (image, *warped, *flows)]
    if len({(shape[0], *shape[2:]) for shape in shapes}) > 1 or shapes[0][0] != 1 or shapes[1] != shapes[2]:
        raise ShapeError(
            "image, warped labels and flows: expected one frame, one size and equal objects, "
            f"found {', '.join(map(str, shapes))}"
        )
