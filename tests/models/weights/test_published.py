"""Names in the authors' checkpoints, against names here."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from vsodtool.models.architecture import CHANNELS_IN, KINDS, Architecture
from vsodtool.models.weights.networks import create_network
from vsodtool.models.weights.published import is_ignored, is_published, published_kind, renamed


@pytest.mark.parametrize("kind", KINDS)
def test_every_published_name_is_one_here_or_ignored(
    kind: str, published_shapes: Callable[[str], dict[str, tuple[int, ...]]]
) -> None:
    shapes = published_shapes(kind)
    assert is_published(shapes)
    assert published_kind(shapes, CHANNELS_IN[kind]) == kind
    with torch.device("meta"):
        expected = create_network(Architecture(kind=kind)).state_dict()
    found = {renamed(name): shape for name, shape in shapes.items() if not is_ignored(name)}
    assert found == {name: tuple(tensor.shape) for name, tensor in expected.items()}


def test_other_names_stay() -> None:
    assert renamed("head.weight") == "head.weight"
    assert not is_published(["backbone.conv1.weight", "fc.bias"])
    assert is_ignored("flownet.a")
    assert is_ignored("backbone.resnet.fc.bias")
    assert not is_ignored("backbone.resnet.conv1.weight")
