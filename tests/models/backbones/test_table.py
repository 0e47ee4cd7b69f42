"""Pyramids of every backbone: sizes, channels, dilation."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from vsodtool.errors import ConfigError
from vsodtool.models.architecture import BACKBONES
from vsodtool.models.backbones.table import create_backbone


@pytest.mark.parametrize("output_stride", [8, 16])
@pytest.mark.parametrize("name", BACKBONES)
def test_sizes_and_channels(name: str, output_stride: int) -> None:
    with torch.device("meta"):
        backbone = create_backbone(name, channels_in=5, output_stride=output_stride).eval()
        levels = backbone(torch.zeros(1, 5, 64, 96))
    assert [level.shape[1] for level in levels] == list(backbone.channels)
    deep = (64 // output_stride, 96 // output_stride)
    assert [tuple(level.shape[-2:]) for level in levels] == [(16, 24), (8, 12), deep, deep]


def test_paper_channels_and_dilation_in_every_block() -> None:
    with torch.device("meta"):
        backbone = create_backbone("resnet50")
    assert backbone.channels == (256, 512, 1024, 2048)
    found = [
        layer.dilation
        for layer in backbone.layer4.modules()
        if isinstance(layer, nn.Conv2d) and layer.kernel_size == (3, 3)
    ]
    assert found == [(2, 2)] * 3
    assert backbone.layer4[0].downsample[0].stride == (1, 1)


def test_an_unknown_backbone_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"backbone: expected one of .*resnet50.*, found 'vgg16'"):
        create_backbone("vgg16")


def test_an_unknown_output_stride_is_refused() -> None:
    with pytest.raises(ConfigError, match="output stride: expected 8 or 16, found 32"):
        create_backbone("resnet18", output_stride=32)
