"""RCRNet+NER: frames of a clip seen together."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vsodtool.errors import ShapeError
from vsodtool.models.architecture import Architecture
from vsodtool.models.rcrnet.conv_gru import ConvGru, reversed_in_time
from vsodtool.models.rcrnet.network import RcrNet
from vsodtool.models.rcrnet.non_local import NonLocalBlock


class Ner(nn.Module):
    """The non-locally enhanced recurrent module (Yan et al., ICCV 2019, section 3.2).

    Non-local block, ConvGRU forward, ConvGRU backward over the forward states, both joined by a convolution
    and tanh, a second non-local block.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.before = NonLocalBlock(channels)
        self.forward_gru = ConvGru(channels)
        self.backward_gru = ConvGru(channels)
        self.join = nn.Conv2d(2 * channels, channels, 3, padding=1)
        self.after = NonLocalBlock(channels)

    def forward(self, context: Tensor) -> Tensor:
        """(T, B, C, h, w), frames in order -> the same shape."""
        related = self.before(context)
        onward = self.forward_gru(related, related[0])
        # The published code starts the way back from the last forward state, and feeds it the forward states.
        backward = reversed_in_time(self.backward_gru(reversed_in_time(onward), onward[-1]))
        both = torch.cat((onward, backward), dim=2).flatten(0, 1)
        joined = torch.tanh(self.join(both)).view(context.shape)
        return self.after(joined)  # type: ignore[no-any-return]


class VideoRcrNet(RcrNet):
    """RCRNet whose context features of T frames are related by NER. T may differ from call to call."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__(architecture)
        self.ner = Ner(architecture.context_width)

    def forward(self, images: Tensor) -> Tensor:
        """Normalised clips (T, B, 3, H, W) -> logits (T, B, 1, H, W).

        Raises:
            ShapeError: the input is no batch of clips.
        """
        if images.ndim != 5:
            raise ShapeError(f"clips: expected (T, B, 3, H, W), found {tuple(images.shape)}")
        features = self.encode(images.flatten(0, 1))
        related = self.relate(features.context.view(*images.shape[:2], *features.context.shape[1:]))
        logits = self.decode(features, related.flatten(0, 1))
        return logits.view(*images.shape[:2], *logits.shape[1:])

    def relate(self, context: Tensor) -> Tensor:
        """Context features of the frames of clips (T, B, C, h, w) -> the same shape."""
        return self.ner(context)  # type: ignore[no-any-return]
