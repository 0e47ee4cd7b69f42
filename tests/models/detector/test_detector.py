"""The detector against its bare network; precision chosen, named, refused."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor

from vsodtool.errors import ShapeError
from vsodtool.models.architecture import Architecture
from vsodtool.models.detector import detector as module
from vsodtool.models.detector.detector import Detector
from vsodtool.models.detector.precision_check import check_motion
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.rcrnet.network import FrameFeatures, RcrNet
from vsodtool.models.weights.networks import create_network
from vsodtool.ops.motion.maps import enlarge_maps

CPU = torch.device("cpu")
SIZE = 64
PREPROCESSING = Preprocessing(size=SIZE)


def small(kind: str) -> RcrNet:
    torch.manual_seed(0)
    widths = dict.fromkeys(("context_width", "skip_width", "refine_width", "decoder_width"), 8)
    return create_network(Architecture(kind=kind, backbone="mobilenet_v3_small", **widths)).eval()


def detector(kind: str, precision: str = "fp32") -> Detector:
    return Detector(small(kind), PREPROCESSING, device=CPU, precision=precision)


@pytest.fixture
def images() -> Tensor:
    """Four frames."""
    made = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (4, 3, SIZE, SIZE), generator=made, dtype=torch.uint8)


def test_video_maps_are_those_of_the_bare_network(images: Tensor) -> None:
    found = detector("video").detect(detector("video").encode(images), frames=2)
    clips = PREPROCESSING.normalise(images.float() / 255).view(2, 2, 3, SIZE, SIZE)  # T = 2, B = 2
    with torch.inference_mode():
        expected = torch.sigmoid(small("video")(clips))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_image_maps_do_not_depend_on_the_other_frames(images: Tensor) -> None:
    seen = detector("image")
    together = seen.detect(seen.encode(images), frames=4)
    for number in range(4):
        alone = seen.detect(seen.encode(images[number : number + 1]), frames=1)
        torch.testing.assert_close(together[number], alone[0], rtol=0, atol=1e-5)


def test_features_may_be_computed_one_by_one_and_joined(images: Tensor) -> None:
    seen = detector("video")
    parts = [part for start in (0, 2) for part in seen.encode(images[start : start + 2]).split()]
    assert [len(part.context) for part in parts] == [1] * 4
    found = seen.detect(FrameFeatures.join(parts), frames=4)
    torch.testing.assert_close(found, seen.detect(seen.encode(images), frames=4), rtol=0, atol=1e-5)


def test_threads_may_share_it(images: Tensor) -> None:
    seen = detector("video")
    expected = seen.detect(seen.encode(images), frames=4)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: seen.detect(seen.encode(images), frames=4), range(8)):
            torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "wrong", [torch.zeros(1, 3, SIZE, SIZE), torch.zeros(1, 3, SIZE, SIZE + 16, dtype=torch.uint8)]
)
def test_other_images_are_refused(wrong: Tensor) -> None:
    with pytest.raises(ShapeError, match=r"expected uint8 \(N, 3, 64, 64\)"):
        detector("image").encode(wrong)


def test_half_a_clip_is_refused(images: Tensor) -> None:
    seen = detector("video")
    with pytest.raises(ShapeError, match="expected a multiple of 3 frames, found 4"):
        seen.detect(seen.encode(images), frames=3)
    with pytest.raises(ShapeError, match=r"expected \(T, B, C, h, w\)"):
        seen.relate(seen.encode(images).context)


def test_auto_takes_bf16_only_where_the_maps_stay_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(same: bool) -> None:
        def check(
            network: RcrNet, preprocessing: Preprocessing, device: torch.device, precision: str
        ) -> bool:
            asked.append(precision)
            return same

        monkeypatch.setattr(module, "agrees_with_fp32", check)

    monkeypatch.setattr(module, "resolve_precision", lambda name, device: "bf16" if name == "auto" else name)
    answer(True)
    assert detector("image", "auto").precision == "bf16"
    answer(False)
    assert detector("image", "auto").precision == "fp32"
    assert detector("image", "bf16").precision == "bf16"  # named: not asked
    assert asked == ["bf16", "bf16"]


def test_on_a_cpu_only_the_encoder_is_compiled(monkeypatch: pytest.MonkeyPatch, images: Tensor) -> None:
    compiled: list[str] = []

    def compile_(function: Callable[..., object]) -> Callable[..., object]:
        compiled.append(function.__name__)
        return function

    monkeypatch.setattr(torch, "compile", compile_)
    seen = Detector(small("video"), PREPROCESSING, device=CPU, precision="fp32", compile=True)
    assert compiled == ["encode"]
    expected = detector("video").detect(detector("video").encode(images), frames=4)
    torch.testing.assert_close(seen.detect(seen.encode(images), frames=4), expected)


def seeing_motion() -> RcrNet:
    torch.manual_seed(0)
    widths = dict.fromkeys(("context_width", "skip_width", "refine_width", "decoder_width"), 8)
    architecture = Architecture(kind="video", backbone="mobilenet_v3_small", motion_input=True, **widths)
    return create_network(architecture).eval()


def test_motion_maps_go_beside_the_pictures(images: Tensor) -> None:
    motion = check_motion(SIZE).repeat(2, 1, 1, 1)
    seen = Detector(seeing_motion(), PREPROCESSING, device=CPU, precision="fp32")
    found = seen.detect(seen.encode(images, motion.half()), frames=2)
    pictures = PREPROCESSING.normalise(images.float() / 255)
    values = torch.cat((pictures, enlarge_maps(motion.half().float(), SIZE)), dim=1)
    with torch.inference_mode():
        expected = torch.sigmoid(seeing_motion()(values.view(2, 2, -1, SIZE, SIZE)))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_a_network_gets_motion_maps_if_and_only_if_it_sees_motion(images: Tensor) -> None:
    seen = Detector(seeing_motion(), PREPROCESSING, device=CPU, precision="auto")  # asked with maps too
    with pytest.raises(ShapeError, match="motion maps: expected by this network"):
        seen.encode(images)
    with pytest.raises(ShapeError, match="motion maps: not expected by this network"):
        detector("video").encode(images, check_motion(SIZE))
