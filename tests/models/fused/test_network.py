"""The fused detector against its two parts, each by itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from vsodtool.models.detector.detector import Detector
from vsodtool.models.fused.architecture import FusedArchitecture
from vsodtool.models.fused.network import FusedNet, geometric_mean
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.rcrnet.layers import resize
from vsodtool.models.rcrnet.video import VideoRcrNet
from vsodtool.models.u2net.network import U2Net
from vsodtool.models.weights.networks import create_network
from vsodtool.ops.motion.layout import CHANNELS
from vsodtool.pipelines.networks.load import load_network

SMALL = FusedArchitecture(
    backbone="mobilenet_v3_small",
    context_width=8,
    skip_width=4,
    refine_width=8,
    decoder_width=8,
    looks_width=8,
    looks_inner_width=4,
)
LOGITS = st.floats(-60, 60, width=32)


@pytest.fixture
def network() -> FusedNet:
    torch.manual_seed(0)
    made = create_network(SMALL)
    assert isinstance(made, FusedNet)
    return made.eval().requires_grad_(False)


def clips() -> Tensor:
    return torch.randn(2, 1, 3 + CHANNELS, 64, 64, generator=torch.manual_seed(1))


@given(LOGITS, LOGITS)
def test_geometric_mean_is_the_root_of_the_product(one: float, other: float) -> None:
    found = float(torch.sigmoid(geometric_mean(torch.tensor([one]), torch.tensor([other])).double()))
    wanted = np.sqrt(1 / (1 + np.exp(-np.float64(one))) / (1 + np.exp(-np.float64(other))))
    assert found == pytest.approx(wanted, abs=2e-6)


def test_geometric_mean_stays_finite_where_both_are_sure() -> None:
    for value in (1e4, -1e4):
        assert geometric_mean(torch.tensor([value]), torch.tensor([value])).isfinite().all()


def test_maps_are_the_geometric_means_of_both_parts(network: FusedNet) -> None:
    video = create_network(SMALL.video).eval()
    assert isinstance(video, VideoRcrNet)
    video.load_state_dict(network.video_weights())
    with torch.inference_mode():
        motion = video(clips()).sigmoid()
        looks = resize(network.looks_logits(clips().flatten(0, 1)), (64, 64)).sigmoid().view(motion.shape)
        found = network(clips()).sigmoid()
    assert motion.std() > 0
    assert looks.std() > 0
    torch.testing.assert_close(found, (motion * looks).sqrt(), rtol=0, atol=1e-6)


def test_the_detector_says_what_the_network_says(network: FusedNet) -> None:
    images = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8, generator=torch.manual_seed(2))
    seen = Preprocessing(size=64)
    values = torch.cat((seen.normalise(images.float() / 255), torch.zeros(2, CHANNELS, 64, 64)), dim=1)
    with torch.inference_mode():
        wanted = network(values[:, None]).sigmoid()
    detector = Detector(network, seen, device=torch.device("cpu"), precision="fp32")
    assert detector.is_video
    assert detector.sees_motion
    found = detector.detect(detector.encode(images, torch.zeros(2, CHANNELS, 32, 32)), 2)
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-5)


def test_the_shipped_one_is_made_of_the_two_that_are_shipped_too() -> None:
    shipped, motion, looks = (
        load_network(name) for name in ("rcrnet-ner-looks", "rcrnet-ner-motion", "u2netp")
    )
    assert isinstance(shipped.network, FusedNet)
    assert isinstance(looks.network, U2Net)
    mine, its = shipped.network.video_weights(), motion.network.state_dict()
    assert mine.keys() == its.keys()
    assert all(torch.equal(values, its[name]) for name, values in mine.items())
    images = torch.rand(1, 3, 64, 64, generator=torch.manual_seed(3))
    maps = torch.randn(1, CHANNELS, 64, 64, generator=torch.manual_seed(4))
    with torch.inference_mode():
        found = shipped.network.looks_logits(
            torch.cat((shipped.preprocessing.normalise(images), maps), dim=1)
        )
        features = looks.network.features(looks.preprocessing.normalise(images))
        wanted = shipped.network.head(features[2:], maps)
    torch.testing.assert_close(found.sigmoid(), wanted.sigmoid(), rtol=0, atol=5e-3)
