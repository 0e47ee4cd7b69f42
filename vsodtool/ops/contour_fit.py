"""How well masks fit the frames that they are said to belong to: by edges of the image under their contours.

Under the contour of a mask that belongs to a frame the image changes more than beside it, and more than under
the same contour in the frames before and after, from which the object has moved on. Masks are drawn with a
margin, or tight, so contours are compared at all distances of up to REACH; the best one of each frame counts.
All of it is counted in the contrast of the frame: light may fade.

Boxes say nothing about contours and are left out.

benchmarks/fit.py chose the thresholds on davis-train and measures both kinds of mistakes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vsodtool.ops.labels.edges import LUMA, box_mean
from vsodtool.types import ImageArray, LabelArray

SHIFTS = (-3, -2, -1, 0, 1, 2, 3)  # frames
REACH = 9  # units to either side of the contour
SPAN = 2  # units to either side between which the image may change
UNIT = (360, 640)  # the frame size of which a unit is one pixel
POINTS = 600  # of a contour that are looked at
FEWEST = 20  # contours of fewer points say nothing
BORDER = 3  # pixels beside the border of the frame, where masks are cut off

MARGIN = 0.08  # of the better fit, by which another frame must fit better
MARGIN_ALONE = 0.25  # the same where a single mask says so
VOTES = 0.7  # of the masks that must agree one by one
RIDGE = 1.2  # the edge under the contour, by the median over all distances from it
ELSEWHERE = 1.1  # the same, by the edge under the contour moved to the best of eight other places
_BOXED = 0.95  # of the box around an object that it fills: a box
_PLACES = 8
_FAR = 0.35  # how far other places are, in square roots of the object's area
_FEWEST_SEEN = 10  # points of a contour moved elsewhere that must lie inside the frame


@dataclass(frozen=True)
class Contour:
    """Points just inside the borders of the objects of a mask.

    Attributes:
        points: (N, 2) rows and columns, float32.
        normals: (N, 2) unit vectors to the inside.
        unit: pixels that distances are counted in.
        far: pixels by which it is moved to other places.
    """

    points: Tensor
    normals: Tensor
    unit: float
    far: float


@dataclass(frozen=True)
class FitSample:
    """The fit of one mask.

    Attributes:
        profiles: by shift of SHIFTS `edge_profile` in that frame; some shifts may be missing.
        elsewhere: `edges_elsewhere` in its own frame.
    """

    profiles: Mapping[int, Tensor]
    elsewhere: Tensor


@dataclass(frozen=True)
class Fit:
    """What the masks of a video say together.

    Attributes:
        shift: frames by which they fit better, 0 if they do not.
        margin: by how much, of the better fit, in [0, 1].
        misplaced: they fit their frames no better than other places of these.
        inverted: they look as if they were drawn the other way round.
    """

    shift: int = 0
    margin: float = 0.0
    misplaced: bool = False
    inverted: bool = False


def find_contour(labels: LabelArray) -> Contour | None:
    """The contour of all objects of a mask; None where it shows none, only boxes, or too little of any.

    Args:
        labels: object ids (H, W), 0 = background.
    """
    unit = max(1.0, (labels.shape[0] * labels.shape[1] / (UNIT[0] * UNIT[1])) ** 0.5)
    ids = np.flatnonzero(np.bincount(labels.ravel()))
    parts = [_object_contour(labels == number, unit) for number in ids if number]
    found = [part for part in parts if part is not None]
    if not found:
        return None
    points, normals = (torch.cat(of_all) for of_all in list(zip(*found, strict=True))[:2])
    if len(points) < FEWEST:
        return None
    if len(points) > POINTS:
        chosen = torch.linspace(0, len(points) - 1, POINTS).long()
        points, normals = points[chosen], normals[chosen]
    far = max(12 * unit, _FAR * max(area for _, _, area in found) ** 0.5)
    return Contour(points, normals, unit, far)


def edge_profile(rgb: ImageArray, contour: Contour) -> Tensor:
    """Mean change of luma across a contour by the distance from it: (2 REACH + 1,), outermost first.

    Args:
        rgb: uint8 (H, W, 3).
        contour: of a mask of that size.

    Returns:
        In units of the frame's contrast; NaN where too little of the contour lies inside the frame.
    """
    return _profile(rgb, contour, REACH) / _contrast(rgb, contour.unit)


def edges_elsewhere(rgb: ImageArray, contour: Contour) -> Tensor:
    """As the middle of `edge_profile`, for the contour moved in eight directions: (8,), NaN where outside."""
    turns = torch.arange(_PLACES) * (2 * torch.pi / _PLACES)
    moves = contour.far * torch.stack([turns.sin(), turns.cos()], 1)
    moved = (Contour(contour.points + move, contour.normals, contour.unit, contour.far) for move in moves)
    return torch.cat([_profile(rgb, each, 0) for each in moved]) / _contrast(rgb, contour.unit)


def judge_fit(samples: Sequence[FitSample]) -> Fit:
    """Whether masks fit their frames, others a few frames further, or none.

    A better shift has to be better by MARGIN, for most masks one by one, with a ridge under the contour, and
    clearly better than its two neighbours: in a still video, or with masks that follow no edge, none is.

    Args:
        samples: one for each mask that was looked at.
    """
    if not samples:
        return Fit()
    unknown = torch.full((2 * REACH + 1,), torch.nan)
    profiles = torch.stack(
        [torch.stack([sample.profiles.get(shift, unknown) for shift in SHIFTS]) for sample in samples]
    )
    margins = {shift: _margin(profiles, shift) for shift in SHIFTS if shift}
    best = max(margins, key=lambda shift: margins[shift])
    if margins[best] >= MARGIN and _convinces(profiles, best):
        beside = [margins[shift] for shift in (best - 1, best + 1) if shift in margins]
        if all(margins[best] - other >= MARGIN / 2 for other in beside):
            return Fit(best, margins[best])
    return Fit(misplaced=_is_misplaced(profiles, torch.stack([sample.elsewhere for sample in samples])))


def _object_contour(
    inside: np.ndarray[tuple[int, int], np.dtype[np.bool_]], unit: float
) -> tuple[Tensor, Tensor, int] | None:
    """Border points and normals of one object, and its area; None for boxes and what is too small."""
    rows, columns = (np.flatnonzero(inside.any(axis)) for axis in (1, 0))
    top, left, bottom, right = rows[0], columns[0], rows[-1] + 1, columns[-1] + 1
    area = int(inside.sum())
    if area >= _BOXED * (bottom - top) * (right - left):
        return None
    margin = 1 + 2 * round(2 * unit)
    start = max(0, top - margin), max(0, left - margin)
    part = inside[start[0] : bottom + margin, start[1] : right + margin]
    mask = torch.from_numpy(part.astype(np.float32))[None, None]
    full = box_mean(mask, 1)[0, 0] > 1 - 1e-3
    at = torch.nonzero((mask[0, 0] > 0) & ~full)
    radius = round(2 * unit)
    soft = box_mean(box_mean(mask, radius), radius)[0, 0]
    down, along = torch.gradient(soft)
    slope = torch.stack([down[at[:, 0], at[:, 1]], along[at[:, 0], at[:, 1]]], 1)
    length = slope.norm(dim=1, keepdim=True)
    points = at + torch.tensor(start)
    size = torch.tensor(inside.shape)
    usable = ((points >= BORDER) & (points < size - BORDER)).all(1) & (length[:, 0] > 1e-6)
    if not usable.any():
        return None
    return points[usable].float(), (slope / length)[usable], area


def _profile(rgb: ImageArray, contour: Contour, reach: int) -> Tensor:
    """Mean change of luma at each distance of up to `reach` units; NaN where too few points lie inside."""
    taps = reach + SPAN + 1  # one more for smoothing
    distances = (
        torch.arange(-taps, taps + 1) - 0.5
    )  # the border lies half a pixel outside the last one inside
    places = contour.points[:, None] + contour.unit * distances[None, :, None] * contour.normals[:, None]
    places = places.round().long()
    height, width = rgb.shape[:2]
    rows, columns = places[..., 0], places[..., 1]
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    pixels = torch.from_numpy(rgb)[rows.clamp(0, height - 1), columns.clamp(0, width - 1)]
    luma = pixels.float() @ torch.tensor(LUMA)
    smooth = (luma[:, :-2] + 2 * luma[:, 1:-1] + luma[:, 2:]) / 4
    seen = inside[:, 1:-1]
    change = (smooth[:, 2 * SPAN :] - smooth[:, : -2 * SPAN]).abs()
    both = seen[:, 2 * SPAN :] & seen[:, : -2 * SPAN]
    count = both.sum(0)
    mean = (change * both).sum(0) / count.clamp_min(1)
    return torch.where(count >= _FEWEST_SEEN, mean, torch.nan)


def _contrast(rgb: ImageArray, unit: float) -> float:
    """Mean change of luma over 2 SPAN units all over the frame, at least 1 grey level."""
    step = round(2 * SPAN * unit)
    luma = torch.from_numpy(rgb[::step, ::step]).float() @ torch.tensor(LUMA)
    changes = [luma.diff(dim=axis).abs().flatten() for axis in (0, 1)]
    return max(1.0, float(torch.cat(changes).mean()))


def _both(profiles: Tensor, shift: int) -> tuple[Tensor, Tensor]:
    """Profiles at a shift and at none, of the masks that have both: (N, 2 REACH + 1) each."""
    there, here = profiles[:, SHIFTS.index(shift)], profiles[:, SHIFTS.index(0)]
    known = ~(there.isnan() | here.isnan()).any(1)
    return there[known], here[known]


def _margin(profiles: Tensor, shift: int) -> float:
    """By how much masks fit better at a shift, as a part of that fit; -inf where nothing says so."""
    there, here = _both(profiles, shift)
    if not len(there):
        return -torch.inf
    return float(1 - here.mean(0).max() / there.mean(0).max().clamp_min(1e-6))


def _convinces(profiles: Tensor, shift: int) -> bool:
    there, here = _both(profiles, shift)
    mean = there.mean(0)
    best = int(mean.argmax())
    votes = float((there[:, best] > here.amax(1)).float().mean())
    alone = len(there) == 1 and _margin(profiles, shift) < MARGIN_ALONE
    return votes >= VOTES and not alone and bool(mean[best] >= RIDGE * mean.median())


def _is_misplaced(profiles: Tensor, elsewhere: Tensor) -> bool:
    here = profiles[:, SHIFTS.index(0)]
    there = elsewhere.nanmean(0)
    if here.isnan().any() or bool(there.isnan().all()):
        return False
    return bool(here.mean(0).max() < ELSEWHERE * there[~there.isnan()].max())
