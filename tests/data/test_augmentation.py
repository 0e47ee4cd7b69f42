from __future__ import annotations

import numpy as np
import pytest
import torch

from vsodtool.data.augmentation import AUGMENTATION, NO_AUGMENTATION, PAPER, Augmentation, Look
from vsodtool.errors import ConfigError
from vsodtool.media.crops import WHOLE


def clip(frames: int = 3, side: int = 24) -> torch.Tensor:
    return torch.randint(0, 256, (frames, 3, side, side), dtype=torch.uint8, generator=torch.manual_seed(1))


def test_one_frame_repeated_stays_one_frame_repeated() -> None:
    still = clip(1).expand(4, -1, -1, -1)
    for seed in range(12):
        varied = AUGMENTATION.draw_look(np.random.default_rng(seed)).apply(still)
        assert varied.dtype == torch.uint8
        assert all(torch.equal(frame, varied[0]) for frame in varied)


def test_crops_hold_the_object_or_are_whole() -> None:
    salient = np.zeros((60, 100), bool)
    salient[5:20, 80:99] = True
    rng = np.random.default_rng(0)
    boxes = [AUGMENTATION.draw_box(rng, salient) for _ in range(200)]
    for box in boxes:
        assert 0 <= box.top <= box.top + box.height <= 1 + 1e-9
        assert 0 <= box.left <= box.left + box.width <= 1 + 1e-9
        assert salient[box.pixels((60, 100))].sum() >= 0.7 * salient.sum()
    assert len({box.left for box in boxes}) > 150
    assert min(box.height for box in boxes) < 0.7


def test_the_paper_only_reverses_time() -> None:
    rng = np.random.default_rng(0)
    assert PAPER.reverse == 0.5
    assert NO_AUGMENTATION.reverse == 0
    for augmentation in (PAPER, NO_AUGMENTATION):
        for _ in range(20):
            assert augmentation.draw_box(rng, np.ones((8, 8), bool)) == WHOLE
            assert augmentation.draw_look(rng) == Look()
    images = clip()
    assert torch.equal(Look().apply(images), images)


def test_mirroring_is_the_same_for_pictures_and_maps() -> None:
    images = clip()
    look = Look(flip=True)
    assert torch.equal(look.apply(images), images.flip(-1))
    assert torch.equal(look.mirror(images[:, :1].float()), look.apply(images)[:, :1].float())


def test_grey_keeps_its_hue_and_blur_keeps_the_mean() -> None:
    grey = torch.full((1, 3, 16, 16), 100, dtype=torch.uint8)
    for seed in range(20):
        look = AUGMENTATION.draw_look(np.random.default_rng(seed))
        levels = look.apply(grey).unique().tolist()
        assert max(levels) - min(levels) <= 1  # rounding
    images = clip(1, 64)
    blurred = Look(blur=0.02).apply(images).float()
    assert blurred.var() < 0.5 * images.float().var()
    assert abs(float(blurred.mean() - images.float().mean())) < 1


@pytest.mark.parametrize(
    "values",
    [{"flip": 1.5}, {"scale": (0.0, 1.0)}, {"scale": (0.9, 0.5)}, {"aspect": 0.5}, {"colour": 1.0}],
)
def test_refuses_values_out_of_range(values: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="augmentation: "):
        Augmentation(**values)  # type: ignore[arg-type]
