"""RCRNet+NER and a head over U²-Net answer the same question; a pixel is salient where both say so."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from vsodtool.models.architecture import CHANNELS_IN
from vsodtool.models.fused.architecture import FusedArchitecture
from vsodtool.models.fused.head import LooksHead, reduce
from vsodtool.models.rcrnet.layers import resize
from vsodtool.models.rcrnet.network import FrameFeatures
from vsodtool.models.rcrnet.video import VideoRcrNet
from vsodtool.models.u2net.network import U2NetFeatures
from vsodtool.models.unplanned import UnplannedConv2d

_DECODERS = 3  # of U²-Net: up to a quarter of the size; the two finer ones cost more than all others together
_LEVELS = _DECODERS + 1  # of features that the head sees
_BESIDE = ("renormalise", "looks", "head")  # what a video network has not
_SUREST = -1e-6  # the largest log-probability: the logit of a probability of 1 is not finite


class FusedNet(VideoRcrNet):
    """A video network, and a head over the coarse half of a U²-Net; their maps' geometric mean is the answer.

    Not in the paper. The one knows motion and what it saw of few videos, the other what salient things look
    like in ten thousand pictures. Their mistakes have little in common: what only one of them finds is
    mostly wrong, and the geometric mean is high only where both are.
    """

    def __init__(self, architecture: FusedArchitecture) -> None:
        super().__init__(architecture.video)
        self.architecture: FusedArchitecture = architecture
        seen = CHANNELS_IN[architecture.kind]
        # Images come normalised as the video network wants them; each has weights made with its own.
        self.renormalise = UnplannedConv2d(seen, seen, 1, groups=seen)
        self.looks = U2NetFeatures(architecture.looks, _DECODERS)
        self.head = LooksHead(architecture.looks_width)

    def video_weights(self) -> dict[str, Tensor]:
        """The state of the video network alone."""
        return {
            name: values
            for name, values in self.state_dict().items()
            if name.partition(".")[0] not in _BESIDE
        }

    def encode(self, images: Tensor) -> FrameFeatures:
        """As the video network; the logits of the head (N, 1, h, w) follow the skips."""
        return self._looked_at(self.observe(images))

    def observe(self, images: Tensor) -> FrameFeatures:
        """As the video network; what the head sees follows the skips: features of looks, and reduced maps."""
        features = super().observe(images)
        return features._replace(skips=(*features.skips, *self._looks(images)))

    def conclude(self, features: FrameFeatures, frames: int) -> Tensor:
        """As the video network, from what `observe` gave."""
        return super().conclude(self._looked_at(features), frames)

    def looks_logits(self, images: Tensor) -> Tensor:
        """What the head finds in images as `encode` takes them, at a quarter of their size."""
        *features, maps = self._looks(images)
        return self.head.decode(features, maps)

    def _looks(self, images: Tensor) -> list[Tensor]:
        seen = self.renormalise.in_channels
        return [*self.looks.features(self.renormalise(images[:, :seen])), reduce(images[:, seen:])]

    def _looked_at(self, features: FrameFeatures) -> FrameFeatures:
        *others, maps = features.skips
        skips, looks = others[:-_LEVELS], others[-_LEVELS:]
        return features._replace(skips=(*skips, self.head.decode(looks, maps)))

    def decode(self, features: FrameFeatures, context: Tensor) -> Tensor:
        """Logits (N, 1, H, W) of the geometric mean of both probabilities; float32."""
        *skips, looks = features.skips
        motion = super().decode(features._replace(skips=tuple(skips)), context)
        return geometric_mean(motion.float(), resize(looks.float(), features.size))


def geometric_mean(one: Tensor, other: Tensor) -> Tensor:
    """Logits -> the logits of the square root of the product of the two probabilities."""
    logarithm = (functional.logsigmoid(one) + functional.logsigmoid(other)) / 2
    return logarithm - torch.log(-torch.expm1(logarithm.clamp(max=_SUREST)))
