from __future__ import annotations

import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torchvision.models.optical_flow import raft_large, raft_small

from vsodtool.errors import ShapeError, UsageError, WeightsError
from vsodtool.models.flow.raft import RaftEstimator, _padding, declared_weights
from vsodtool.types import FlowEstimator

BUILDERS = {"raft-small": raft_small, "raft-large": raft_large}


@pytest.fixture(scope="module", params=BUILDERS)
def random_raft(request: pytest.FixtureRequest) -> tuple[str, torch.nn.Module]:
    torch.manual_seed(0)
    return request.param, BUILDERS[request.param](weights=None).eval()


def test_it_is_the_last_output_of_torchvisions_network(random_raft: tuple[str, torch.nn.Module]) -> None:
    variant, network = random_raft
    estimator = RaftEstimator(variant, quality="fast", weights=network.state_dict())
    image_a, image_b = torch.rand(2, 1, 3, 128, 136)
    with torch.inference_mode():
        expected = network(image_a * 2 - 1, image_b * 2 - 1, num_flow_updates=6)[-1]
    found = estimator.estimate(image_a, image_b)
    assert torch.allclose(found, expected, atol=1e-4)
    assert (found.shape, found.dtype) == ((1, 2, 128, 136), torch.float32)
    assert not found.is_inference()


def test_odd_and_small_sizes_are_padded_and_unpadded(random_raft: tuple[str, torch.nn.Module]) -> None:
    variant, network = random_raft
    estimator = RaftEstimator(variant, quality="fast", weights=network.state_dict())
    images = torch.rand(2, 2, 3, 17, 131)
    before = images.clone()
    padded = [F.pad(image, (2, 3, 55, 56), mode="replicate") * 2 - 1 for image in images]
    with torch.inference_mode():
        expected = network(*padded, num_flow_updates=6)[-1][..., 55 : 55 + 17, 2 : 2 + 131]
    found = estimator.estimate(images[0], images[1], initial=torch.zeros(2, 2, 17, 131))
    assert torch.allclose(found, expected, atol=1e-4)
    assert found.is_contiguous()
    assert torch.equal(images, before)


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (127, 128), (128, 129), (480, 854), (1080, 1921)])
def test_padding_reaches_a_multiple_of_8_and_at_least_128(size: tuple[int, int]) -> None:
    left, right, top, bottom = _padding(*size)
    height, width = size[0] + top + bottom, size[1] + left + right
    assert height % 8 == width % 8 == 0
    assert min(height, width) >= 128
    assert height < max(size[0] + 8, 129)
    assert width < max(size[1] + 8, 129)
    assert 0 <= right - left <= 1
    assert 0 <= bottom - top <= 1


def test_declared_weights_are_torchvisions() -> None:
    small, large = declared_weights("raft-small"), declared_weights("raft-large")
    assert small.url.endswith("raft_small_C_T_V2-01064c6d.pth")
    assert large.url.endswith("raft_large_C_T_SKHT_V2-ff5fadd5.pth")
    for weights in (small, large):  # what `_prepared` and `_padding` rely on
        assert (weights.meta["min_size"], weights.meta["_docs"] != "") == ((128, 128), True)
        image = torch.randint(0, 256, (1, 3, 128, 128), dtype=torch.uint8)
        prepared, _ = weights.transforms()(image, image)
        assert torch.allclose(prepared, image.float() / 255 * 2 - 1, atol=1e-6)


def test_weights_of_another_network_are_refused() -> None:
    with pytest.raises(WeightsError, match="not those of raft-small"):
        RaftEstimator("raft-small", weights={"a": torch.zeros(1)})


def test_absent_weights_offline_are_refused_with_the_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*args: object, **options: object) -> object:
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(urllib.request, "urlopen", offline)
    events = []
    with pytest.raises(WeightsError) as caught:
        RaftEstimator("raft-large", on_event=events.append)
    assert caught.value.exit_code == 4
    assert str(tmp_path) in caught.value.message
    assert "put it at" in caught.value.hint
    assert "downloading" in events[0].message


def test_name_and_refusals(random_raft: tuple[str, torch.nn.Module]) -> None:
    variant, network = random_raft
    estimator = RaftEstimator(variant, quality="best", weights=network.state_dict(), precision="bf16")
    assert isinstance(estimator, FlowEstimator)
    assert estimator.name == f"{variant}(24,float32)"  # bf16 is for CUDA
    with pytest.raises(ShapeError, match="image_a and image_b"):
        estimator.estimate(torch.rand(1, 3, 40, 40), torch.rand(2, 3, 40, 40))
    for option in ({"variant": "raft"}, {"quality": "good"}, {"precision": "int8"}):
        with pytest.raises(UsageError, match=f"{next(iter(option))}: expected one of"):
            RaftEstimator(**{"variant": variant, **option})


def test_threads_get_their_own_flows(random_raft: tuple[str, torch.nn.Module]) -> None:
    variant, network = random_raft
    estimator = RaftEstimator(variant, quality="fast", weights=network.state_dict())
    pairs = [torch.rand(2, 1, 3, 128, 128 + 8 * (number % 2)) for number in range(4)]
    expected = [estimator.estimate(*pair) for pair in pairs]
    with ThreadPoolExecutor(len(pairs)) as executor:
        found = list(executor.map(lambda pair: estimator.estimate(*pair), pairs))
    for one, other in zip(found, expected, strict=True):
        assert torch.allclose(one, other, atol=1e-4)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_half_precision_on_cuda_stays_close(random_raft: tuple[str, torch.nn.Module]) -> None:
    variant, network = random_raft
    device = torch.device("cuda")
    image_a, image_b = torch.rand(2, 1, 3, 128, 136)
    full, half = (
        RaftEstimator(variant, device=device, weights=network.state_dict(), precision=precision)
        for precision in ("fp32", "auto")
    )
    difference = full.estimate(image_a, image_b) - half.estimate(image_a, image_b)
    assert difference.device.type == "cpu"
    assert difference.abs().mean() < 0.5
