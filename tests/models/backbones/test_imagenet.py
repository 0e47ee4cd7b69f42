from __future__ import annotations

import re

import pytest
import torch
from torchvision import models as classifiers

from vsodtool.errors import WeightsError
from vsodtool.models.architecture import BACKBONES
from vsodtool.models.backbones.imagenet import PACKAGED, fit_channels, imagenet_member, load_classifier
from vsodtool.models.backbones.table import create_backbone


@pytest.mark.parametrize("name", BACKBONES)
def test_every_backbone_has_weights_with_a_hash(name: str) -> None:
    if name in PACKAGED:
        assert re.search(r"-[0-9a-f]{8}\.pth$", PACKAGED[name][1])
    else:
        assert f"/{name}-" in imagenet_member(name).url


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small"])
def test_the_backbone_computes_what_the_classifier_does(name: str) -> None:
    # An input that is one pixel at the deepest layer: stride and dilation make no difference there only if
    # the padding is zero, so the stem and the first layer are compared, and every weight by value.
    classifier = getattr(classifiers, name)(weights=None).eval()
    backbone = create_backbone(name).eval()
    load_classifier(backbone, classifier.state_dict())
    mine = list(backbone.state_dict().values())
    theirs = [
        value for key, value in classifier.state_dict().items() if not key.startswith(("fc", "classifier"))
    ]
    assert all(torch.equal(a, b) for a, b in zip(mine, theirs, strict=True))
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        quarter = backbone(image)[0]
        if name == "resnet18":
            stem = classifier.maxpool(classifier.relu(classifier.bn1(classifier.conv1(image))))
            expected = classifier.layer1(stem)
        else:
            expected = classifier.features[:2](
                image
            )  # its second block has the stride that leads to a quarter
    assert torch.equal(quarter, expected)


def test_more_input_channels_keep_their_fresh_weights() -> None:
    classifier = classifiers.resnet18(weights=None)
    backbone = create_backbone("resnet18", channels_in=7)
    fresh = backbone.state_dict()["conv1.weight"].clone()
    load_classifier(backbone, classifier.state_dict())
    loaded = backbone.state_dict()["conv1.weight"]
    assert torch.equal(loaded[:, :3], classifier.conv1.weight)
    assert torch.equal(loaded[:, 3:], fresh[:, 3:])


def test_weights_of_another_classifier_are_refused() -> None:
    with pytest.raises(WeightsError, match="expected 120 tensors"):
        load_classifier(create_backbone("resnet18"), classifiers.resnet34(weights=None).state_dict())


def test_only_input_channels_are_extended() -> None:
    values = torch.ones(4, 3, 3, 3)
    assert fit_channels(values, torch.zeros(4, 7, 3, 3)).shape == (4, 7, 3, 3)
    for shape in ((5, 7, 3, 3), (4, 7, 1, 1), (4, 2, 3, 3)):
        assert fit_channels(values, torch.zeros(shape)) is values
