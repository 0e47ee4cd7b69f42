"""Image classifiers of torchvision as pyramids of four feature maps.

torchvision is imported when the first of them is made: that costs 1.5 CPU seconds and 170 MiB, and the
densifier's backbone does without.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from vsodtool.errors import ConfigError
from vsodtool.models.architecture import BACKBONES, OUTPUT_STRIDES
from vsodtool.models.backbones.efficientnet_lite import EfficientNetLiteBackbone

# Features at a quarter, an eighth, a sixteenth of the input, and the deepest ones at the output stride.
Pyramid = tuple[Tensor, Tensor, Tensor, Tensor]


class ResNetBackbone(nn.Module):
    """The convolutions of a ResNet (v1, stride on the 3x3 convolution), without its classifier.

    Output stride 16: layer4 has stride 1 and dilation 2 in every block; 8: also layer3,
    and layer4 dilation 4.
    (torchvision's own `replace_stride_with_dilation` leaves the first block of a layer undilated.)
    """

    def __init__(self, resnet: Any, channels_in: int, output_stride: int) -> None:
        super().__init__()
        self.conv1 = _first_convolution(resnet.conv1, channels_in)
        self.bn1 = resnet.bn1
        self.relu = resnet.relu
        self.maxpool = resnet.maxpool
        self.layer1, self.layer2 = resnet.layer1, resnet.layer2
        self.layer3, self.layer4 = resnet.layer3, resnet.layer4
        if output_stride == 8:
            _dilate(self.layer3, 2)
        _dilate(self.layer4, 32 // output_stride)
        blocks = (self.layer1[-1], self.layer2[-1], self.layer3[-1], self.layer4[-1])
        self.channels: tuple[int, ...] = tuple(_last_norm(block).num_features for block in blocks)

    def forward(self, images: Tensor) -> Pyramid:
        """(N, channels_in, H, W), normalised -> the outputs of the four layers."""
        quarter = self.layer1(self.maxpool(self.relu(self.bn1(self.conv1(images)))))
        eighth = self.layer2(quarter)
        sixteenth = self.layer3(eighth)
        return quarter, eighth, sixteenth, self.layer4(sixteenth)


class MobileNetBackbone(nn.Module):
    """The convolutions of a MobileNetV3; its blocks at one resolution form a layer."""

    def __init__(self, mobilenet: Any, channels_in: int, output_stride: int) -> None:
        super().__init__()
        stem, *blocks = mobilenet.features
        stem[0] = _first_convolution(stem[0], channels_in)
        starts = [0, *(number for number, block in enumerate(blocks) if _has_stride(block)), len(blocks)]
        # Resolutions: half, quarter, eighth, sixteenth, thirty-second.
        half, quarter, eighth, sixteenth, deepest = (
            nn.Sequential(*blocks[start:end]) for start, end in pairwise(starts)
        )
        if output_stride == 8:
            _dilate(sixteenth, 2)
        _dilate(deepest, 32 // output_stride)
        self.stem = nn.Sequential(stem, *half)
        self.layer1, self.layer2, self.layer3, self.layer4 = quarter, eighth, sixteenth, deepest
        layers = (quarter, eighth, sixteenth, deepest)
        self.channels: tuple[int, ...] = tuple(_last_norm(layer).num_features for layer in layers)

    def forward(self, images: Tensor) -> Pyramid:
        """(N, channels_in, H, W), normalised -> the outputs of the four layers."""
        quarter = self.layer1(self.stem(images))
        eighth = self.layer2(quarter)
        sixteenth = self.layer3(eighth)
        return quarter, eighth, sixteenth, self.layer4(sixteenth)


_FAMILIES: dict[str, Callable[[Any, int, int], ResNetBackbone | MobileNetBackbone]] = {
    "resnet18": ResNetBackbone,
    "resnet34": ResNetBackbone,
    "resnet50": ResNetBackbone,
    "resnet101": ResNetBackbone,
    "mobilenet_v3_small": MobileNetBackbone,
    "mobilenet_v3_large": MobileNetBackbone,
}


def create_backbone(
    name: str, *, channels_in: int = 3, output_stride: int = 16
) -> ResNetBackbone | MobileNetBackbone | EfficientNetLiteBackbone:
    """A backbone with random weights.

    Args:
        name: one of BACKBONES.
        channels_in: of the images.
        output_stride: 8 or 16, of the deepest features.

    Raises:
        ConfigError: there is no such backbone or output stride.
    """
    if name not in BACKBONES:
        raise ConfigError(f"backbone: expected one of {', '.join(BACKBONES)}, found '{name}'")
    if output_stride not in OUTPUT_STRIDES:
        raise ConfigError(f"output stride: expected 8 or 16, found {output_stride}")
    if name == "efficientnet_lite0":  # torchvision has it not
        return EfficientNetLiteBackbone(channels_in, output_stride)
    from torchvision import models as classifiers

    classifier = getattr(classifiers, name)(weights=None)
    return _FAMILIES[name](classifier, channels_in, output_stride)


def _first_convolution(layer: nn.Conv2d, channels_in: int) -> nn.Conv2d:
    if channels_in == layer.in_channels:
        return layer
    return nn.Conv2d(
        channels_in,
        layer.out_channels,
        layer.kernel_size,  # type: ignore[arg-type]
        layer.stride,  # type: ignore[arg-type]
        layer.padding,  # type: ignore[arg-type]
        bias=layer.bias is not None,
    )


def _dilate(layer: nn.Module, dilation: int) -> None:
    """Take the stride out of a layer and widen its kernels instead."""
    for convolution in layer.modules():
        if isinstance(convolution, nn.Conv2d):
            convolution.stride = (1, 1)
            kernel = convolution.kernel_size[0]
            if kernel > 1:
                convolution.dilation = (dilation, dilation)
                convolution.padding = (dilation * (kernel // 2), dilation * (kernel // 2))


def _has_stride(block: nn.Module) -> bool:
    from torchvision.models.mobilenetv3 import InvertedResidual

    return isinstance(block, InvertedResidual) and any(
        isinstance(part, nn.Conv2d) and part.stride[0] > 1 for part in block.modules()
    )


def _last_norm(layer: nn.Module) -> nn.BatchNorm2d:
    """The normalisation that ends a layer; a shortcut's own one stands after it in a ResNet's block."""
    norms = [
        part
        for name, part in layer.named_modules()
        if isinstance(part, nn.BatchNorm2d) and "downsample" not in name
    ]
    return norms[-1]
