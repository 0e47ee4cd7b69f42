"""RCRNet+NER: frames of a clip seen together."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional

from vsodtool.errors import ShapeError
from vsodtool.models.architecture import Architecture
from vsodtool.models.rcrnet.network import FrameFeatures, RcrNet

# The parts that see one frame by itself, in the video network and in those beside it.
ENCODER = ("backbone", "motion", "aspp", "skips", "renormalise", "looks")


class NonLocalBlock(nn.Module):
    """x + W(y), y = (theta^T phi / N) g with N = T H W and no softmax (Wang et al., CVPR 2018, dot product).

    As nothing non-linear stands between the products, theta^T (phi g^T) / N is the same function at a cost
    that is linear in N instead of quadratic (as Shen et al., arXiv 1812.01243, do with theirs).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = channels // 2
        self.theta = nn.Conv3d(channels, inner, 1)
        self.phi = nn.Conv3d(channels, inner, 1)
        self.g = nn.Conv3d(channels, inner, 1)
        self.W = nn.Conv3d(inner, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        """(T, B, C, h, w) -> the same shape."""
        frames, batch, channels, height, width = features.shape
        # (T, B, C, h, w) -> (B, N, C): 1x1x1 convolutions are products of matrices then.
        rows = features.permute(1, 0, 3, 4, 2).reshape(batch, -1, channels)
        theta, phi, g = (_pointwise(part, rows) for part in (self.theta, self.phi, self.g))
        context = phi.transpose(1, 2) @ (
            g / rows.shape[1]
        )  # (B, C/2, C/2); divided first: no overflow in fp16
        related = rows + _pointwise(self.W, theta @ context)
        return related.reshape(batch, frames, height, width, channels).permute(1, 0, 4, 2, 3)


def _pointwise(layer: nn.Conv3d, rows: Tensor) -> Tensor:
    return nn.functional.linear(rows, layer.weight.flatten(1), layer.bias)


class ConvGru(nn.Module):
    """ConvGRU with kernel 3 (Ballas et al., ICLR 2016), from [x, h]:

    r = sigmoid(reset), z = sigmoid(update), c = tanh(output([x, r h])), h' = (1 - z) c + z h.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.reset_gate = nn.Conv2d(2 * channels, channels, 3, padding=1)
        self.update_gate = nn.Conv2d(2 * channels, channels, 3, padding=1)
        self.output_gate = nn.Conv2d(2 * channels, channels, 3, padding=1)
        self.channels = channels

    def forward(self, inputs: Tensor, state: Tensor) -> Tensor:
        """Run over time.

        The part of each convolution that sees the input is done for all frames at once.

        Args:
            inputs: (T, B, C, h, w), in the order in which they are seen.
            state: the first state (B, C, h, w).

        Returns:
            The state after each input (T, B, C, h, w).
        """
        channels = self.channels
        gates = (self.reset_gate, self.update_gate, self.output_gate)
        input_weight = torch.cat([gate.weight[:, :channels] for gate in gates])
        bias = torch.cat([_bias(gate) for gate in gates])
        seen = functional.conv2d(inputs.flatten(0, 1), input_weight, bias, padding=1)
        of_state = torch.cat([gate.weight[:, channels:] for gate in gates[:2]])
        of_candidate = self.output_gate.weight[:, channels:].contiguous()
        states = []
        for now in seen.view(*inputs.shape[:2], *seen.shape[1:]):
            for_gates, for_candidate = now.split((2 * channels, channels), dim=1)
            gated = torch.sigmoid(for_gates + functional.conv2d(state, of_state, padding=1))
            reset, update = gated.chunk(2, dim=1)
            candidate = torch.tanh(for_candidate + functional.conv2d(reset * state, of_candidate, padding=1))
            state = candidate + update * (state - candidate)
            states.append(state)
        return torch.stack(states)


def reversed_in_time(values: Iterable[Tensor]) -> Tensor:
    """The frames of a clip, last one first."""
    return torch.stack(list(values)[::-1])


def _bias(layer: nn.Conv2d) -> Tensor:
    assert layer.bias is not None
    return layer.bias


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
        return self.conclude(self.observe(images.flatten(0, 1)), len(images))

    def observe(self, images: Tensor) -> FrameFeatures:
        """What of `forward` depends on `ENCODER` alone: normalised images (N, 3, H, W) -> features."""
        return super().encode(images)

    def conclude(self, features: FrameFeatures, frames: int) -> Tensor:
        """What `observe` saw of clips of T frames, frame t of clip b at t B + b -> logits (T, B, 1, H, W)."""
        related = self.relate(features.context.view(frames, -1, *features.context.shape[1:]))
        logits = self.decode(features, related.flatten(0, 1))
        return logits.view(frames, -1, *logits.shape[1:])

    def relate(self, context: Tensor) -> Tensor:
        """Context features of the frames of clips (T, B, C, h, w) -> the same shape."""
        return self.ner(context)  # type: ignore[no-any-return]
