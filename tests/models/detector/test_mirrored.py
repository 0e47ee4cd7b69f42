"""The mean over a frame and its mirror, against two runs of the plain detector."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tests.models.detector.test_detector import CPU, PREPROCESSING, SIZE, small
from vsodtool.errors import ShapeError
from vsodtool.models.architecture import Architecture
from vsodtool.models.detector.detector import Detector
from vsodtool.models.detector.mirrored import MirroredDetector
from vsodtool.models.rcrnet.network import RcrNet
from vsodtool.models.weights.networks import create_network
from vsodtool.ops.motion.layout import CHANNELS
from vsodtool.ops.motion.maps import mirror_maps

RNG = torch.Generator().manual_seed(1)
IMAGES = torch.randint(0, 256, (4, 3, SIZE, SIZE), generator=RNG, dtype=torch.uint8)
MOTION = torch.randn(4, CHANNELS, SIZE // 2, SIZE // 2, generator=RNG)


def with_motion() -> RcrNet:
    torch.manual_seed(0)
    widths = dict.fromkeys(("context_width", "skip_width", "refine_width", "decoder_width"), 8)
    architecture = Architecture(kind="video", backbone="mobilenet_v3_small", motion_input=True, **widths)
    return create_network(architecture).eval()


def detect(seen: Detector, images: Tensor, motion: Tensor | None) -> Tensor:
    return seen.detect(seen.encode(images, motion), frames=2)


@pytest.mark.parametrize("kind", ["image", "video", "motion"])
def test_it_is_the_mean_of_both(kind: str) -> None:
    def network() -> RcrNet:
        return with_motion() if kind == "motion" else small(kind)

    motion = MOTION if kind == "motion" else None
    plain = Detector(network(), PREPROCESSING, device=CPU, precision="fp32")
    both = MirroredDetector(network(), PREPROCESSING, device=CPU, precision="fp32")
    mirrored = detect(plain, IMAGES.flip(-1), None if motion is None else mirror_maps(motion)).flip(-1)
    expected = (detect(plain, IMAGES, motion) + mirrored) / 2
    assert (expected - detect(plain, IMAGES, motion)).abs().max() > 1e-4  # the mirror does say something else
    torch.testing.assert_close(detect(both, IMAGES, motion), expected, rtol=0, atol=1e-6)


def test_a_mirrored_frame_has_the_mirrored_map() -> None:
    both = MirroredDetector(with_motion(), PREPROCESSING, device=CPU, precision="fp32")
    found = detect(both, IMAGES.flip(-1), mirror_maps(MOTION))
    torch.testing.assert_close(found.flip(-1), detect(both, IMAGES, MOTION), rtol=0, atol=1e-6)


def test_context_that_is_no_clip_is_refused() -> None:
    both = MirroredDetector(small("video"), PREPROCESSING, device=CPU, precision="fp32")
    with pytest.raises(ShapeError, match=r"expected \(T, B, C, h, w\)"):
        both.relate(torch.zeros(2, 8, 4, 4))
