"""The parts of RCRNet against their definitions."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from vsodtool.models.architecture import Architecture
from vsodtool.models.rcrnet.network import Aspp, FrameFeatures, SkipBottleneck
from vsodtool.models.weights.networks import create_network


def test_aspp_sees_a_constant_where_its_input_is_one() -> None:
    torch.manual_seed(2)
    aspp = Aspp(6, 8, 16).eval()
    features = torch.randn(2, 6, 4, 5)
    mean = features.mean(dim=(2, 3), keepdim=True)
    parts = [functional.interpolate(aspp.pool(mean), size=(4, 5), mode="bilinear", align_corners=False)]
    parts += [branch(features) for branch in aspp.branches]
    torch.testing.assert_close(aspp(features), aspp.project(torch.cat(parts, dim=1)))


@pytest.mark.parametrize(("stride", "dilations"), [(16, (6, 12, 18)), (8, (12, 24, 36))])
def test_aspp_dilations(stride: int, dilations: tuple[int, ...]) -> None:
    found = [branch.conv.dilation for branch in Aspp(4, 4, stride).branches]  # type: ignore[union-attr]
    assert found == [(1, 1), *((dilation, dilation) for dilation in dilations)]


@pytest.mark.parametrize(
    ("kind", "motion"),
    [("image", False), ("video", False), ("fgplg", False), ("image", True), ("video", True)],
)
def test_every_kind_trains(kind: str, motion: bool) -> None:
    network = create_network(
        Architecture(
            kind=kind,
            backbone="mobilenet_v3_small",
            context_width=8,
            skip_width=8,
            refine_width=8,
            decoder_width=8,
            motion_input=motion,
        )
    )
    channels = network.architecture.channels_in
    shape = (2, 1, channels, 64, 80) if kind == "video" else (2, channels, 64, 80)
    logits = network(torch.randn(shape))
    assert logits.shape == (*shape[:-3], 1, 64, 80)
    logits.square().mean().backward()
    unused = [name for name, value in network.named_parameters() if value.grad is None]
    assert unused == []


def test_features_are_split_into_frames_and_joined_again() -> None:
    levels = tuple(torch.rand(3, 2, side, side) for side in (2, 4, 8))
    features = FrameFeatures(torch.rand(3, 5, 2, 2), levels, (32, 32))  # type: ignore[arg-type]
    frames = features.split()
    assert [len(frame.context) for frame in frames] == [1, 1, 1]
    again = FrameFeatures.join(frames)
    assert torch.equal(again.context, features.context)
    assert all(torch.equal(a, b) for a, b in zip(again.skips, features.skips, strict=True))
    assert again.size == (32, 32)


def test_a_skip_is_a_residual_bottleneck_of_half_the_width() -> None:
    torch.manual_seed(3)
    skip = SkipBottleneck(6, 8).eval()
    features = torch.randn(2, 6, 5, 7)
    inner = functional.relu(skip.bn2(skip.conv2(functional.relu(skip.bn1(skip.conv1(features))))))
    assert inner.shape == (2, 4, 5, 7)
    expected = functional.relu(skip.bn3(skip.conv3(inner)) + skip.downsample(features))
    torch.testing.assert_close(skip(features), expected)
