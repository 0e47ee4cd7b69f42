"""Fit of masks: a disc that moves over a ground of waves, where the right answer is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vsodtool.ops.contour_fit import (
    ELSEWHERE,
    POINTS,
    REACH,
    SHIFTS,
    Contour,
    Fit,
    FitSample,
    edge_profile,
    edges_elsewhere,
    find_contour,
    judge_fit,
)
from vsodtool.types import ImageArray, LabelArray

SIZE = (120, 200)
RADIUS = 24


def disc(time: int, radius: int = RADIUS) -> LabelArray:
    """It moves 3 pixels to the right and 1 down per frame."""
    rows, columns = np.ogrid[: SIZE[0], : SIZE[1]]
    inside = (rows - 50 - time) ** 2 + (columns - 60 - 3 * time) ** 2 <= radius**2
    return inside.astype(np.uint16)


def picture(time: int) -> ImageArray:
    """A bright disc on a darker ground of gentle waves."""
    rows, columns = np.ogrid[: SIZE[0], : SIZE[1]]
    ground = 90 + 20 * np.sin(columns / 9) + 20 * np.cos(rows / 7)
    grey = np.where(disc(time) > 0, 200, ground).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def sample(time: int, mask: LabelArray, *, moves: bool = True) -> FitSample:
    contour = find_contour(mask)
    assert contour is not None
    profiles = {shift: edge_profile(picture(time + shift * moves), contour) for shift in SHIFTS}
    return FitSample(profiles, edges_elsewhere(picture(time), contour))


def test_points_lie_on_the_border_and_normals_point_inside() -> None:
    contour = find_contour(disc(0))
    assert contour is not None
    outward = contour.points - torch.tensor([50.0, 60.0])
    distance = outward.norm(dim=1)
    assert (distance > RADIUS - 2).all()
    assert (distance <= RADIUS).all()
    cosine = -(contour.normals * outward / distance[:, None]).sum(1)
    assert cosine.min() > 0.95
    torch.testing.assert_close(contour.normals.norm(dim=1), torch.ones(len(contour.points)))


def test_a_long_contour_is_thinned() -> None:
    rows, columns = np.ogrid[:400, :400]
    contour = find_contour(((rows - 200) ** 2 + (columns - 200) ** 2 < 180**2).astype(np.uint16))
    assert contour is not None
    assert len(contour.points) == POINTS


@pytest.mark.parametrize("grown", [-4, 0, 5])
def test_the_edge_is_found_at_its_distance_from_the_contour(grown: int) -> None:
    contour = find_contour(disc(0, RADIUS + grown))
    assert contour is not None
    profile = edge_profile(picture(0), contour)
    assert profile.shape == (2 * REACH + 1,)
    assert abs(int(profile.argmax()) - REACH - grown) <= 1
    # Across the edge luma steps from the ground, 90 +- 40, to 200; elsewhere it hardly changes.
    assert float(profile.max()) > 5 * float(profile.median())


def test_light_does_not_matter() -> None:
    contour = find_contour(disc(0))
    assert contour is not None
    dim = (picture(0) // 2 + 100).astype(np.uint8)
    torch.testing.assert_close(
        edge_profile(dim, contour), edge_profile(picture(0), contour), rtol=0.05, atol=0.3
    )


@pytest.mark.parametrize("grown", [-4, 0, 5])
@pytest.mark.parametrize("shift", range(-3, 4))
def test_the_right_shift_is_named_whatever_the_margin(shift: int, grown: int) -> None:
    fit = judge_fit([sample(time, disc(time + shift, RADIUS + grown)) for time in (3, 6, 9)])
    assert fit.shift == shift
    assert not fit.misplaced
    assert (fit.margin > 0.08) == (shift != 0)


@given(shift=st.sampled_from(SHIFTS), count=st.integers(1, 4))
def test_a_still_video_says_nothing(shift: int, count: int) -> None:
    samples = [sample(5, disc(5 + shift), moves=False) for _ in range(count)]
    assert judge_fit(samples).shift == 0


def test_masks_of_something_else_are_misplaced() -> None:
    strange = np.roll(disc(0), (30, 90), (0, 1))
    assert judge_fit([sample(time, strange) for time in (3, 6, 9)]) == Fit(misplaced=True)


def test_what_is_known_of_fewer_frames_counts_too() -> None:
    first = sample(0, disc(1))
    early = FitSample({shift: first.profiles[shift] for shift in SHIFTS if shift >= 0}, first.elsewhere)
    assert judge_fit([early, sample(5, disc(6))]).shift == 1


def test_one_mask_alone_must_be_much_better() -> None:
    flat = torch.full((2 * REACH + 1,), 10.0)

    def ridge(height: float) -> torch.Tensor:
        profile = flat.clone()
        profile[REACH] = height
        return profile

    profiles = {shift: ridge(20.0) for shift in SHIFTS} | {1: ridge(24.0)}
    one = FitSample(profiles, torch.full((8,), 20.0 / ELSEWHERE - 1))
    assert judge_fit([one]).shift == 0
    assert judge_fit([one, one]).shift == 1


def test_no_masks_no_answer() -> None:
    assert judge_fit([]) == Fit()


@pytest.mark.parametrize(
    "mask",
    [
        np.zeros(SIZE, np.uint16),
        np.ones(SIZE, np.uint16),
        np.pad(np.ones((40, 60), np.uint16), ((10, 70), (30, 110))),  # a box
        np.pad(np.eye(4, dtype=np.uint16), ((10, 106), (30, 166))),  # a few pixels
    ],
)
def test_masks_without_a_telling_contour(mask: LabelArray) -> None:
    assert find_contour(mask) is None


def test_objects_are_seen_one_by_one() -> None:
    two = np.maximum(disc(0), 7 * np.roll(disc(0), 60, 1))
    one, both = find_contour(disc(0)), find_contour(two)
    assert one is not None
    assert both is not None
    assert len(both.points) == 2 * len(one.points)


def test_points_outside_are_left_out() -> None:
    contour = Contour(torch.zeros(30, 2), torch.tensor([[1.0, 0.0]]).repeat(30, 1), 1.0, 500.0)
    profile = edge_profile(picture(0), contour)
    assert profile[:REACH].isnan().all()
    assert not profile[REACH + 4 :].isnan().any()
    assert edges_elsewhere(picture(0), contour).isnan().all()
