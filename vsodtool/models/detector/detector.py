"""A detector ready to run: the one place where its images are normalised, and device and precision chosen."""

from __future__ import annotations

from typing import TypeAlias

import torch
from torch import Tensor

from vsodtool.errors import ShapeError
from vsodtool.models.detector.precision_check import agrees_with_fp32
from vsodtool.models.inference.precision import DTYPES, resolve_precision
from vsodtool.models.inference.prepare import exact_products, prepare
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.rcrnet.decoder import EnlargedDecoder
from vsodtool.models.rcrnet.network import FrameFeatures, RcrNet
from vsodtool.models.rcrnet.video import VideoRcrNet
from vsodtool.models.u2net.network import U2Net
from vsodtool.ops.motion.maps import enlarge_maps

SaliencyNetwork: TypeAlias = RcrNet | U2Net

_DECODED_AT_ONCE = {"cpu": 1, "cuda": 8, "mps": 2}  # frames; bounds the memory of long clips


class Detector:
    """RCRNet, RCRNet+NER or U²-Net for inference; several threads may use it at once.

    `encode` sees each frame by itself, `relate` the frames of clips together, `decode` each frame again.
    """

    def __init__(
        self,
        network: SaliencyNetwork,
        preprocessing: Preprocessing,
        *,
        device: torch.device,
        precision: str = "auto",
        compile: bool = False,
    ) -> None:
        """Prepare a network.

        Args:
            network: of kind image, video or u2net; taken over and changed (`inference.prepare`).
            preprocessing: what its weights were trained with.
            device: that computes.
            precision: fp32, bf16, fp16; auto is bf16 where the device multiplies it in hardware and this
                network's maps stay the same in it (`precision_check`), else fp32.
            compile: let torch.compile make it faster; the first clips take minutes then.

        Raises:
            UsageError: there is no such precision.
            DeviceError: the device cannot compute in it.
        """
        self.precision = resolve_precision(precision, device)
        # "auto" promises maps that stay the same; whoever names a precision gets it.
        if precision == "auto" and self.precision != "fp32":
            prepare(network, device, DTYPES["fp32"])
            same = agrees_with_fp32(network, preprocessing, device, self.precision)
            self.precision = self.precision if same else "fp32"
        self.device = device
        self.size = preprocessing.size
        self.is_video = isinstance(network, VideoRcrNet)
        self.sees_motion = network.architecture.motion_input
        self._preprocessing = preprocessing
        self._dtype = DTYPES[self.precision]
        self._network = prepare(network, device, self._dtype)
        self._at_once = _DECODED_AT_ONCE.get(device.type, 1)
        self._encode, self._decode = self._network.encode, self._network.decode
        if compile:
            self._encode = torch.compile(self._encode)
            # Its loop over tiles is not for a compiler.
            if not isinstance(getattr(self._network, "decoder", None), EnlargedDecoder):
                self._decode = torch.compile(self._decode)

    @torch.inference_mode()
    def encode(self, images: Tensor, motion: Tensor | None = None) -> FrameFeatures:
        """What is known of frames by themselves, on the device; once per frame, whatever clips it is in.

        Args:
            images: uint8 (N, 3, size, size), RGB.
            motion: their motion maps (N, CHANNELS, size / 2, size / 2), if `sees_motion`; see
                `ops.motion_maps`.

        Raises:
            ShapeError: the images are of another type or size, or motion is missing or not asked for.
        """
        if (motion is not None) != self.sees_motion:
            raise ShapeError(
                f"motion maps: {'expected' if self.sees_motion else 'not expected'} by this network"
            )
        if images.dtype != torch.uint8 or images.shape[1:] != (3, self.size, self.size):
            raise ShapeError(
                f"images: expected uint8 (N, 3, {self.size}, {self.size}), "
                f"found {images.dtype} {tuple(images.shape)}"
            )
        values = self._preprocessing.normalise(images.to(self.device).float().div_(255))
        if motion is not None:
            maps = enlarge_maps(motion.to(self.device, torch.float32), self.size)
            values = torch.cat((values, maps), dim=1)
        with exact_products(self._dtype):
            return self._encode(values.to(self._dtype, memory_format=torch.channels_last))

    @torch.inference_mode()
    def relate(self, context: Tensor) -> Tensor:
        """Context features of the frames of clips, related by NER; of an image network unchanged.

        Args:
            context: as in `FrameFeatures.context`, (T, B, C, h, w), on the device.

        Returns:
            The same shape.

        Raises:
            ShapeError: it is no batch of clips.
        """
        if context.ndim != 5:
            raise ShapeError(f"context: expected (T, B, C, h, w), found {tuple(context.shape)}")
        if not isinstance(self._network, VideoRcrNet):
            return context
        with exact_products(self._dtype):
            return self._network.relate(context)

    @torch.inference_mode()
    def decode(self, features: FrameFeatures, context: Tensor) -> Tensor:
        """The saliency of frames.

        Args:
            features: of N frames.
            context: what `relate` made of their context (N, C, h, w).

        Returns:
            Probabilities, float32 (N, 1, size, size), on the CPU.
        """
        maps = torch.empty(len(context), 1, *features.size)
        with exact_products(self._dtype):
            for start in range(0, len(context), self._at_once):
                part = slice(start, start + self._at_once)
                skips = tuple(skip[part] for skip in features.skips)
                few = FrameFeatures(features.context[part], skips, features.size)
                maps[part] = torch.sigmoid(self._decode(few, context[part]).float()).cpu()
        return maps

    def detect(self, features: FrameFeatures, frames: int) -> Tensor:
        """`relate` and `decode` of whole clips.

        Args:
            features: of B clips of T frames, frame by frame: number t * B + b is frame t of clip b.
            frames: T.

        Returns:
            Probabilities, float32 (T, B, 1, size, size), on the CPU.

        Raises:
            ShapeError: the number of frames is not a multiple of T.
        """
        count = len(features.context)
        if frames < 1 or count % frames:
            raise ShapeError(f"features: expected a multiple of {frames} frames, found {count}")
        clips = (frames, count // frames)
        related = self.relate(features.context.view(*clips, *features.context.shape[1:]))
        return self.decode(features, related.flatten(0, 1)).view(*clips, 1, *features.size)
