from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.native.compiled import compiled
from vsodtool.models.flow.inverse_search import InverseSearchEstimator
from vsodtool.native.inverse_search import SearchSettings
from vsodtool.types import FlowEstimator

FINE = SearchSettings(0, 4, 3, 2)
COARSE = SearchSettings(1, 4, 3, 2)


def estimator(knobs: SearchSettings = FINE) -> InverseSearchEstimator:
    return InverseSearchEstimator(compiled(), knobs)


def texture(height: int, width: int, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).random((height, width, 3), dtype=np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 2.0)
    return (soft - soft.min()) / (soft.max() - soft.min())


def tensor(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None]


def moved(flow: np.ndarray, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """A texture, and what it is the view of: b(x + flow(x)) = a(x), by OpenCV's cubic interpolation."""
    height, width = flow.shape[:2]
    b = texture(height, width, seed)
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    a = cv2.remap(
        b, columns + flow[..., 0], rows + flow[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return tensor(a.clip(0, 1)), tensor(b)


def shifted(height: int, width: int, right: float, down: float) -> tuple[torch.Tensor, torch.Tensor]:
    return moved(np.full((height, width, 2), (right, down), np.float32))


@pytest.mark.parametrize("knobs", [FINE, COARSE, SearchSettings(0, 3, 3, 0), SearchSettings(2, 8, 5, 1)])
@pytest.mark.parametrize("size", [(96, 128), (97, 131), (64, 45)])
def test_a_shift_is_found_with_the_right_sign_and_channel(
    knobs: SearchSettings, size: tuple[int, int]
) -> None:
    flow = estimator(knobs).estimate(*shifted(*size, 4, -2))
    assert flow.shape == (1, 2, *size)
    assert flow.dtype is torch.float32
    inner = flow[0, :, 12:-12, 12:-12]
    assert inner[0].median() == pytest.approx(4, abs=0.2)
    assert inner[1].median() == pytest.approx(-2, abs=0.2)


@settings(max_examples=25, deadline=None)
@given(st.integers(40, 120), st.integers(40, 120), st.floats(-5, 5, width=32), st.floats(-5, 5, width=32))
def test_any_shift_at_any_size_to_a_tenth_of_a_pixel(
    height: int, width: int, right: float, down: float
) -> None:
    flow = estimator().estimate(*shifted(height, width, right, down))[0, :, 10:-10, 10:-10]
    assert float((flow[0] - right).abs().median()) < 0.1
    assert float((flow[1] - down).abs().median()) < 0.1


def test_a_smooth_motion_is_found_more_exactly_than_by_opencv() -> None:
    """Both know the truth to a fraction of a pixel; what replaces OpenCV's search may not be worse."""
    from vsodtool.models.flow.dis import DisEstimator, DisSettings

    noise = np.random.default_rng(1).normal(size=(6, 8, 2)).astype(np.float32) * 3
    truth = cv2.resize(noise, (256, 192), interpolation=cv2.INTER_CUBIC)
    pair = moved(truth)
    wanted = torch.from_numpy(truth).permute(2, 0, 1)[None]

    def error(used: FlowEstimator) -> float:
        off = (used.estimate(*pair) - wanted)[..., 12:-12, 12:-12]
        return float(off.square().sum(dim=1).sqrt().mean())

    assert error(estimator()) < 1.02 * error(DisEstimator(DisSettings(0, 8, 4, 12, 2)))
    assert error(estimator()) < 0.2


def test_an_edge_of_the_motion_stays_one() -> None:
    flow = np.zeros((120, 160, 2), np.float32)
    flow[30:90, 40:120, 0] = 3
    found = estimator().estimate(*moved(flow))[0, 0]
    assert float(found[40:80, 50:110].median()) == pytest.approx(3, abs=0.1)
    assert float(found[:20].abs().median()) < 0.1
    assert float((found[30:90, 46] - 3).abs().median()) < 0.5
    assert float(found[30:90, 30].abs().median()) < 0.5


def test_light_that_changes_does_not_move_anything() -> None:
    image = 0.2 + 0.5 * tensor(texture(80, 100))
    flow = estimator().estimate(image, 1.1 * image + 0.05)
    assert float(flow.abs().median()) < 0.05


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1), (7, 9), (8, 8), (9, 200), (31, 200), (33, 47)])
@pytest.mark.parametrize("knobs", [FINE, COARSE, SearchSettings(3, 5, 2, 1)])
def test_small_images_work_and_keep_their_size(size: tuple[int, int], knobs: SearchSettings) -> None:
    image = torch.rand(2, 3, *size)
    flow = estimator(knobs).estimate(image, image, initial=torch.zeros(2, 2, *size))
    assert flow.shape == (2, 2, *size)
    assert torch.isfinite(flow).all()
    assert flow.abs().max() < 0.5


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_an_image_without_texture_does_not_move(value: float) -> None:
    image = torch.full((1, 3, 50, 60), value)
    assert torch.equal(estimator().estimate(image, image), torch.zeros(1, 2, 50, 60))


def test_noise_and_a_wild_start_give_numbers() -> None:
    torch.manual_seed(0)
    start = torch.randn(1, 2, 70, 90) * 1e4
    flow = estimator().estimate(torch.rand(1, 3, 70, 90), torch.rand(1, 3, 70, 90), initial=start)
    assert torch.isfinite(flow).all()


def test_it_is_an_estimator_whose_name_tells_its_settings() -> None:
    assert isinstance(estimator(), FlowEstimator)
    assert estimator().name == "inverse-search(0,4,3,2,5)"
