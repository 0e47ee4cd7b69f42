"""What the masks leave out stays out: a hand with a ball, and masks of the hand alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from vsodtool.config import PseudoLabelConfig
from vsodtool.metrics import region_j
from vsodtool.pipelines.pseudolabel import run_pseudolabel

Pixels = npt.NDArray[Any]
COUNT, SIZE = 11, (96, 160)
LIKE, UNLIKE = (190, 120, 90), (40, 60, 200)  # colours of a ball: nearly that of the hand, and another one


def texture(seed: int, colour: tuple[int, int, int], strength: float) -> Pixels:
    grain = np.random.default_rng(seed).normal(0, 1, (*SIZE, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(grain, (0, 0), 2)
    return (np.array(colour) + strength * smooth / smooth.std()).clip(0, 255).astype(np.uint8)


def film(colour: tuple[int, int, int]) -> tuple[list[Pixels], list[Pixels], list[Pixels]]:
    """Frames, the hand and the ball: it lies on the hand that moves to the right, rises and comes back."""
    ground, skin, ball = texture(0, (90, 100, 80), 30), texture(1, (200, 130, 100), 12), texture(2, colour, 8)
    frames, hands, balls = [], [], []
    for number in range(COUNT):
        hand, round_, right = np.zeros(SIZE, np.uint8), np.zeros(SIZE, np.uint8), 30 + 6 * number
        cv2.rectangle(hand, (right, 56), (right + 40, 80), 255, -1)
        height = 2 * min(number, COUNT - 1 - number)
        cv2.circle(round_, (right + 20, 48 - height), 8, 255, -1)
        frame = np.where(hand[..., None] > 0, np.roll(skin, 6 * number, 1), ground)
        frames.append(np.where(round_[..., None] > 0, np.roll(ball, (-height, 6 * number), (0, 1)), frame))
        hands.append(hand)
        balls.append(round_)
    return frames, hands, balls


@pytest.mark.parametrize("colour", [LIKE, UNLIKE], ids=["like", "unlike"])
@pytest.mark.parametrize("method", ["warp", "fgplg"])
@pytest.mark.parametrize("drawn", [False, True], ids=["left-out", "drawn-once"])
def test_a_ball_comes_in_only_where_a_mask_has_it_and_then_in_doubt(
    tmp_path: Path, method: str, colour: tuple[int, int, int], *, drawn: bool
) -> None:
    frames, hands, balls = film(colour)
    last = hands[-1] | balls[-1] if drawn else hands[-1]
    for folder in ("frames", "masks"):
        (tmp_path / folder).mkdir()
    for number, frame in enumerate(frames):
        assert cv2.imwrite(str(tmp_path / f"frames/{number:02d}.png"), frame[..., ::-1])
    for number, mask in ((0, hands[0]), (COUNT - 1, last)):
        assert cv2.imwrite(str(tmp_path / f"masks/{number:02d}.png"), mask)
    run_pseudolabel(
        PseudoLabelConfig(
            inputs=(str(tmp_path / "frames"),),
            masks=tmp_path / "masks",
            output=tmp_path / "out",
            method=method,
            confidence=True,
            device="cpu",
            workers=2,
        )
    )
    came_in = 0
    for number in range(1, COUNT - 1):
        made, sure = (
            cv2.imread(str(tmp_path / f"out/{kind}/frames/{number:02d}.png"), 0)
            for kind in ("masks", "confidence")
        )
        hand, ball = hands[number] > 0, balls[number] > 0
        claimed = (made > 0) & ball
        assert region_j((made > 0) & ~ball, hand) > 0.98
        if not drawn or number < COUNT // 3:  # the nearer mask has none
            assert claimed.sum() <= 0.05 * ball.sum()
        elif claimed.any():
            came_in += 1
            assert sure[claimed].mean() < sure[hand].mean() - 0.15 * 255
    assert bool(came_in) == drawn
