"""EfficientNet-Lite0 as a backbone: MobileNet-like, small, and with ImageNet weights under a free licence.

Tan and Le, ICML 2019; the Lite variants (no squeeze-and-excitation, ReLU6) are Google's, of 2020.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional

from vsodtool.models.unplanned import UnplannedConv2d

STEM = 32
_SHALLOW = 5  # stages down to a sixteenth


class _Stage(NamedTuple):
    blocks: int
    kernel: int
    stride: int
    expansion: int
    channels: int


# Of EfficientNet-B0.
STAGES = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)


class SameConv2d(UnplannedConv2d):
    """A convolution padded as TensorFlow does, where these weights come from: one more pixel at the end."""

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, D, ceil(H / stride), ceil(W / stride))."""
        (across, left, right), (along, top, bottom) = self._padding(input, -1), self._padding(input, -2)
        if across == 0 and along == 0:
            return super().forward(input)
        return super().forward(functional.pad(input, (left, right, top, bottom)))

    def _padding(self, input: Tensor, axis: int) -> tuple[int, int, int]:
        length, stride = input.shape[axis], self.stride[axis]
        reach = self.dilation[axis] * (self.kernel_size[axis] - 1)
        total = max((-(-length // stride) - 1) * stride + reach + 1 - length, 0)
        return total, total // 2, total - total // 2


class InvertedBottleneck(nn.Module):
    """1x1 expansion, depthwise convolution, 1x1 projection; added to the input where the shapes fit."""

    def __init__(
        self, channels_in: int, channels_out: int, *, kernel: int, stride: int, expansion: int, dilation: int
    ) -> None:
        super().__init__()
        hidden = expansion * channels_in
        self.expand: nn.Module = _conv_norm(channels_in, hidden, 1) if expansion > 1 else nn.Identity()
        self.depthwise = _conv_norm(hidden, hidden, kernel, stride=stride, dilation=dilation, groups=hidden)
        self.project = _conv_norm(hidden, channels_out, 1)
        self._expands = expansion > 1
        self._adds = stride == 1 and channels_in == channels_out

    def forward(self, features: Tensor) -> Tensor:
        """(N, channels_in, H, W) -> (N, channels_out, H / stride, W / stride)."""
        hidden = self._limited(self.expand(features)) if self._expands else features
        projected: Tensor = self.project(self._limited(self.depthwise(hidden)))
        return features + projected if self._adds else projected

    def _limited(self, hidden: Tensor) -> Tensor:
        return functional.relu6(hidden, inplace=not self.training)  # nobody else has it


class EfficientNetLiteBackbone(nn.Module):
    """The convolutions of EfficientNet-Lite0, without the head of its classifier.

    Output stride 16: the stages that would be at a thirty-second have stride 1 and dilation 2; 8: those at a
    sixteenth dilation 2 already, and the deepest ones 4.
    """

    def __init__(self, channels_in: int, output_stride: int, *, is_whole: bool = True) -> None:
        super().__init__()
        self.is_whole = is_whole
        self.stem = _conv_norm(channels_in, STEM, 3, stride=2)
        channels, reached = STEM, 2
        stages = []
        for stage in STAGES if is_whole else STAGES[:_SHALLOW]:
            reached *= stage.stride
            dilation = max(reached // output_stride, 1)
            blocks = []
            for number in range(stage.blocks):
                stride = stage.stride if number == 0 and reached <= output_stride else 1
                blocks.append(
                    InvertedBottleneck(
                        channels,
                        stage.channels,
                        kernel=stage.kernel,
                        stride=stride,
                        expansion=stage.expansion,
                        dilation=dilation,
                    )
                )
                channels = stage.channels
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)
        self.channels: tuple[int, ...] = tuple(STAGES[number].channels for number in (1, 2, 4, 6))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """(N, channels_in, H, W), normalised -> at a quarter, an eighth, a sixteenth, the deepest."""
        found = self._stages(images)
        return found[1], found[2], found[4], found[6]

    def shallow(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The first three of the pyramid; all that there is where the backbone is not whole."""
        found = self._stages(images)
        return found[1], found[2], found[4]

    def _stages(self, images: Tensor) -> list[Tensor]:
        features = functional.relu6(self.stem(images), inplace=not self.training)
        found = []
        for stage in self.stages:
            features = stage(features)
            found.append(features)
        return found


def _conv_norm(
    channels_in: int, channels_out: int, kernel: int, *, stride: int = 1, dilation: int = 1, groups: int = 1
) -> nn.Sequential:
    # Without stride both paddings are the same, and a convolution that pads by itself is faster.
    convolution = (SameConv2d if stride > 1 else UnplannedConv2d)(
        channels_in,
        channels_out,
        kernel,
        stride=stride,
        padding=0 if stride > 1 else dilation * (kernel // 2),
        dilation=dilation,
        groups=groups,
        bias=False,
    )
    return nn.Sequential(convolution, nn.BatchNorm2d(channels_out, eps=1e-3, momentum=0.01))
