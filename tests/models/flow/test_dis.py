from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from vsodtool.errors import UsageError
from vsodtool.models.flow.dis import QUALITY_SETTINGS, DisEstimator, DisSettings
from vsodtool.types import FlowEstimator


def texture(height: int, width: int, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).random((height, width, 3), dtype=np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 2.0)
    return (soft - soft.min()) / (soft.max() - soft.min())


def pair(height: int, width: int, right: int, down: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Two views of one texture; what is at x in a is at x + (right, down) in b."""
    big = texture(height + 32, width + 32)
    a = big[16 : 16 + height, 16 : 16 + width]
    b = big[16 - down : 16 - down + height, 16 - right : 16 - right + width]
    return tensor(a), tensor(b)


def tensor(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None]


@pytest.mark.parametrize("quality", QUALITY_SETTINGS)
@pytest.mark.parametrize("size", [(96, 128), (97, 131)])
def test_a_shift_is_found_with_the_right_sign_and_channel(quality: str, size: tuple[int, int]) -> None:
    image_a, image_b = pair(*size, right=4, down=-2)
    flow = DisEstimator(quality).estimate(image_a, image_b)
    assert flow.shape == (1, 2, *size)
    assert flow.dtype is torch.float32
    inner = flow[0, :, 12:-12, 12:-12]
    assert inner[0].median() == pytest.approx(4, abs=0.2)
    assert inner[1].median() == pytest.approx(-2, abs=0.2)


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1), (7, 9), (16, 16), (31, 200)])
def test_small_images_work_and_keep_their_size(size: tuple[int, int]) -> None:
    image = torch.rand(2, 3, *size)
    estimator = DisEstimator("fast")
    flow = estimator.estimate(image, image, initial=torch.zeros(2, 2, *size))
    assert flow.shape == (2, 2, *size)
    assert torch.isfinite(flow).all()
    assert flow.abs().max() < 0.5


def test_a_small_image_also_moves() -> None:
    image_a, image_b = pair(24, 24, right=1, down=1)
    flow = DisEstimator("best").estimate(image_a, image_b)
    assert flow[0, 0, 4:-4, 4:-4].median() == pytest.approx(1, abs=0.3)
    assert flow[0, 1, 4:-4, 4:-4].median() == pytest.approx(1, abs=0.3)


@pytest.mark.parametrize("size", [(32, 32), (40, 44), (45, 46), (64, 80), (90, 91), (127, 128), (64, 182)])
def test_a_flow_does_not_depend_on_what_was_computed_before(size: tuple[int, int]) -> None:
    pairs = [pair(*size, shift, -shift) for shift in (-3, -1, 2, 4)]
    used = DisEstimator("fast")
    after_others = [used.estimate(*one) for one in pairs]
    fresh = [DisEstimator("fast").estimate(*one) for one in pairs]
    assert all(torch.equal(a, b) for a, b in zip(after_others, fresh, strict=True))


def test_nothing_is_kept_of_a_pair() -> None:
    """OpenCV's object would keep as much as a network needs, in each thread."""
    estimator = DisEstimator()
    estimator.estimate(*pair(96, 128, right=4, down=-2))
    assert vars(estimator) == {"settings": estimator.settings}


def test_it_is_an_estimator_whose_name_tells_its_settings() -> None:
    assert isinstance(DisEstimator(), FlowEstimator)
    assert DisEstimator(DisSettings(1, 8, 3, 25, 5)).name == "dis(1,8,3,25,5)"
    assert len({DisEstimator(quality).name for quality in QUALITY_SETTINGS}) == 3


def test_refusals() -> None:
    with pytest.raises(UsageError, match="quality: expected one of fast, balanced, best, found 'good'"):
        DisEstimator("good")
