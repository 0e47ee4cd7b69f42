"""Where an object is, told by the frame before it, by looks, and by what is salient.

All on grids of one picture: looks are compared in cells of a sixteenth of it (`CELL`), labels lie on a
quarter (`GRID`). A label is carried along the motion from frame to frame, so it drifts, and is lost where
motion cannot be followed. Looks are compared with the masks that were given, which stay as they are, so the
object is found again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor
from torch.nn import functional

from vsodtool.ops.warp import sample
from vsodtool.types import Size

AREA = 384 * 672  # pixels of the picture, whatever the size of the frame
GRID, CELL = 4, 16  # pixels of the picture to one of a label, and to a cell

_PARTS = (0.6, 0.8)  # weights of features at an eighth and at a sixteenth; their squares sum to 1
_ALIKE = 3  # cells that a similarity is the mean of
_OBJECT, _OTHER = 0.5, 0.1  # shares of object from which on, and below which, a cell shows it, or not
_SHARPNESS = 0.05  # difference of similarities that is worth 1 in log-odds
_BOUND = 3.0  # no difference is worth more
_CERTAIN = 0.02  # probabilities are believed up to this
_STRAY, _POSSIBLE = 0.75, 0.3  # sizes of an object, and probability: see `within_reach`
_NEAR = 12  # cells to either side in which a recent label is looked for
_ELSEWHERE = -0.5  # in the place of similarities that do not count: lower than those that do
# Of motion, looks of the given masks, recent looks, saliency: what their log-odds count. Chosen on validation
# videos of davis-train: benchmarks/TRIED.md, "Few masks".
_MOTION, _GIVEN, _RECENT, _SALIENT = 0.6, 0.6, 0.4, 1.0
_RIVALS = 0.1  # of an object's cells: so many that are something else and salient as well count as its rivals
# What looks of the object against its rivals count: benchmarks/TRIED.md, "One of two salient things".
_RIVALRY = 0.3
_UNNOTICED, _NOTICED = 0.1, 0.4  # overlap of an object and what is salient: up to, and from which on
_FADING = 20  # frames in which the tracker comes to count as much as what was carried
_AGREED, _DOUBT = 0.65, 0.3  # agreement from which on nothing is lost; below it by so much, all
# Between two masks, the steps from none to all of a label being the tracker's: J that what was carried is
# expected to reach, and by how much less that of the tracker is. Chosen on davis-train: benchmarks/TRIED.md,
# "Few masks".
_UNSURE, _WORSE = (0.9, 0.5), (-0.3, 0.0)
_MET = 0.5  # J of what it found from either mask from which on its place is believed


@dataclass(frozen=True)
class Looks:
    """Cells of one or more frames, and what they show.

    Attributes:
        features: (C, N), of unit length.
        shares: of the object in each cell (N,) in [0, 1].
    """

    features: Tensor
    shares: Tensor


def picture_size(size: Size) -> Size:
    """The size of the picture that a frame (H, W) is seen as: of AREA or so, in whole cells."""
    ratio = sqrt(AREA / (size[0] * size[1]))
    height, width = (max(round(side * ratio / CELL), 4) * CELL for side in size)
    return height, width


def grid_size(size: Size) -> Size:
    """The size of the grid that labels of frames (H, W) lie on."""
    height, width = picture_size(size)
    return height // GRID, width // GRID


def standardised(parts: Sequence[Tensor], moments: tuple[Tensor, Tensor]) -> Tensor:
    """Features less what all frames share, of unit length (C, h, w).

    Args:
        parts: of a frame (1, C, h, w) each, from an eighth and from a sixteenth of its size.
        moments: mean and standard deviation of each of their channels (C,), see `moments_of`.
    """
    mean, deviation = (values[:, None, None] for values in moments)
    sizes = [part.shape[1] for part in parts]
    means, deviations = torch.split(mean, sizes), torch.split(deviation, sizes)
    centred = [
        functional.normalize((part - own) / spread, dim=1) * weight
        for part, own, spread, weight in zip(parts, means, deviations, _PARTS, strict=True)
    ]
    return torch.cat(centred, dim=1)[0]


def moments_of(frames: Sequence[Sequence[Tensor]]) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel over all cells of some frames, see `standardised`."""
    cells = torch.cat([torch.cat(tuple(parts), dim=1)[0].flatten(1) for parts in frames], dim=1)
    return cells.mean(dim=1), cells.std(dim=1).clamp_min(1e-3)


def shares_of(label: Tensor) -> Tensor:
    """A label (1, 1, h, w) on the grid -> the share of object in each cell (N,)."""
    return functional.avg_pool2d(label, CELL // GRID).flatten()


def votes(features: Tensor, known: Looks, *, near: Tensor | None = None) -> Tensor:
    """Log-odds of each cell to be object, by what it looks like: (1, 1, h, w), bounded.

    The mean of the greatest similarities (cosines) with cells of the object, against that with other cells.

    Args:
        features: of the frame (C, h, w).
        known: cells to compare with.
        near: for each known cell and each of the frame whether they are compared (N, h * w); None: all are.
    """
    cells = features.flatten(1).t()
    few = min(_ALIKE, len(known.shares))
    inside = known.shares > _OBJECT
    if int(inside.sum()) < few:  # it is smaller than a few cells
        inside = known.shares >= known.shares.topk(few).values[-1]
    outside = known.shares < _OTHER
    if int(outside.sum()) < few:
        outside = ~inside
    if bool(outside.any()):
        own, other = (
            _most_alike(
                cells, known.features.index_select(1, those), few, None if near is None else near[those]
            )
            for those in (each.nonzero().flatten() for each in (inside, outside))
        )
        odds = ((own - other) / _SHARPNESS).clamp(-_BOUND, _BOUND)
    else:  # all of it is object: nothing to tell it from
        odds = cells.new_zeros(len(cells))
    return odds.view(1, 1, *features.shape[-2:])


def _most_alike(cells: Tensor, others: Tensor, few: int, near: Tensor | None) -> Tensor:
    """Of each cell (N, C) the mean of its greatest similarities with others (C, M) that are near (M, N)."""
    similar = cells @ others
    if near is not None:
        similar = similar.masked_fill_((~near).t().contiguous(), _ELSEWHERE)
    return similar.topk(min(few, similar.shape[1]), dim=1).values.mean(dim=1)


def rivals_of(label: Tensor, salient: Tensor) -> Tensor:
    """Cells of a labelled frame that are salient, and are not the object: bool (N,).

    Args:
        label: of the object on the grid (1, 1, h, w).
        salient: what is salient there (1, 1, h, w) in [0, 1].
    """
    return (shares_of(salient) > _OBJECT) & (shares_of(label) < _OTHER)


def are_rivals(shares: Tensor, rivals: Tensor) -> bool:
    """Whether there are enough rivals to speak of.

    Args:
        shares: of the object in the cells of all labelled frames (N,).
        rivals: `rivals_of` these.
    """
    return int(rivals.sum()) >= max(_ALIKE, _RIVALS * int((shares >= _OTHER).sum()))


def with_rivals(known: Looks, rivals: Tensor) -> Looks:
    """An object's cells and those of its rivals, for `votes` of the one against the other."""
    kept = (known.shares >= _OTHER) | rivals
    return Looks(known.features[:, kept], known.shares[kept])


def own_salience(salient: Tensor, rivalry: Tensor) -> Tensor:
    """What is salient and looks like the object; what looks like its rivals is so much the less the object.

    Args:
        salient: on the grid (1, 1, h, w) in [0, 1].
        rivalry: `votes` of the object against its rivals.
    """
    odds = torch.logit(salient, eps=_CERTAIN)
    told = functional.interpolate(rivalry, odds.shape[-2:], mode="bilinear").tanh()
    return torch.where(odds > 0, odds * told, odds).sigmoid()


def neighbourhood(size: Size, device: torch.device) -> Tensor:
    """For each pair of cells of a frame of (h, w) whether they are near each other: bool (h * w, h * w)."""
    rows, columns = torch.meshgrid(
        torch.arange(size[0], device=device), torch.arange(size[1], device=device), indexing="ij"
    )
    apart = [(axis.flatten()[:, None] - axis.flatten()[None]).square() for axis in (rows, columns)]
    return apart[0] + apart[1] <= _NEAR**2


def notice(label: Tensor, others: Tensor, salient: Tensor) -> float:
    """How far what is salient speaks of an object, in [0, 1]: 1 if it is that, 0 if it is elsewhere.

    An annotator may mask what nobody would look at first, as a mirror image; what draws the eye then would
    draw the label away. Told by the overlap (the J of soft masks) where a mask was given: on videos of
    davis-train it is .44 and more, in a video where the chair before its mirror image was not masked, 0.

    Args:
        label: of the object in a labelled frame (h, w) in [0, 1].
        others: of all else there that may well be salient: other objects and rivals.
        salient: in that frame (h, w) in [0, 1].
    """
    own = salient * (1 - others)
    union = float(torch.maximum(own, label).sum())
    agreement = float(torch.minimum(own, label).sum()) / union if union else 0.0
    return _step(agreement, _UNNOTICED, _NOTICED)


def tracked_odds(
    before: Tensor,
    back: Tensor,
    given: Tensor,
    recent: Tensor,
    salient: Tensor,
    *,
    rivalry: Tensor | None = None,
) -> Tensor:
    """Log-odds of an object on the grid (1, 1, h, w).

    Args:
        before: its label in the frame before (1, 1, h, w) in [0, 1].
        back: flow from this frame to that one (1, 2, h, w), in pixels of the grid.
        given: `votes` of the masks that were given.
        recent: those of a label that was found some frames ago.
        salient: (1, 1, h, w) in [0, 1]; 0.5 says nothing.
        rivalry: votes of the object against its rivals; None: it has none.
    """
    size = (before.shape[-2], before.shape[-1])
    voted = _GIVEN * given + _RECENT * recent
    if rivalry is not None:
        voted = voted + _RIVALRY * rivalry
    looks = functional.interpolate(voted, size, mode="bilinear")
    moved = torch.logit(sample(before, back), eps=_CERTAIN)
    return _MOTION * moved + looks + _SALIENT * torch.logit(salient, eps=_CERTAIN)


def tracker_share(agreement: float, distance: int, *, reach: int) -> float:
    """How much of a label with a mask on one side only is the tracker's, in [0, 1]; the rest motion carried.

    Where both say the same, the carried one has the better borders for long; where they do not, it was lost
    (on davis-train, 25 frames and more from the mask, its J is .08 / .30 / .44 / .70 / .86 for agreements of
    0-.2 ... .8-1, that of the tracker .57 / .74 / .75 / .75 / .86).

    Args:
        agreement: J of both.
        distance: frames to the nearest mask.
        reach: frames up to which what is carried is all that counts.
    """
    far = _step(distance, reach, reach + _FADING) / 2
    lost = _step(agreement, _AGREED, _AGREED - _DOUBT)
    return far + (1 - far) * lost


def found_share(carried: float, found: float) -> float:
    """How much of a label between two masks is the tracker's, in [0, 1].

    Carried from both sides a label is hardly ever lost, and then it is known to be unsure. So far the tracker
    joins in, unless it is to be expected worse itself.

    Args:
        carried: J that what was carried is expected to reach.
        found: that of the tracker.
    """
    return doubted_share(carried) * _step(found - carried, *_WORSE)


def doubted_share(carried: float) -> float:
    """The most that `found_share` could be, in [0, 1], whatever the tracker finds.

    Args:
        carried: J that what was carried is expected to reach.
    """
    return _step(carried, *_UNSURE)


def _step(value: float, none: float, everything: float) -> float:
    """From 0 at one value to 1 at another one."""
    return min(max((value - none) / (everything - none), 0.0), 1.0)


def within_reach(found: Tensor) -> Tensor:
    """Where an object may be that the tracker found, given that it found it: bool (h, w).

    What is further than _STRAY of the object's size from anything that may be object is something else, as a
    parked scooter beside the one that is ridden.

    Args:
        found: the object (h, w) in [0, 1].
    """
    radius = round(_STRAY * sqrt(int((found > _OBJECT).sum())))
    near = (found > _POSSIBLE).float()[None]
    for kernel in ((2 * radius + 1, 1), (1, 2 * radius + 1)):
        near = functional.max_pool2d(near, kernel, 1, (kernel[0] // 2, kernel[1] // 2))
    return near[0] > 0


def is_where(agreement: float, met: float | None) -> bool:
    """Whether the tracker is right about where an object is, if not about its borders."""
    return met is not None and agreement > _AGREED - _DOUBT and met > _MET


def expected_j(agreement: float, with_salient: float) -> float:
    """The J that a label far from masks can be expected to reach.

    Least squares on eight videos of davis-train, one mask each; by leaving each video out Spearman is .8.

    Args:
        agreement: J of what motion carried and of the tracker.
        with_salient: J of the tracker and of what is salient.
    """
    return 0.19 + 0.1 * agreement + 0.68 * with_salient


def expected_between(expected: float, met: float | None, reached: float, carried: float) -> float:
    """The J that what the tracker finds between two masks can be expected to reach.

    No better than where it could be tested: with the mask at the other end. On davis-train, where it found
    something, Spearman with its J is .60, that of `expected_j` alone .28.

    Args:
        expected: `expected_j`.
        met: J of what it found from each of the masks; None where it found nothing: that is wrong if the
            carried label is right, and by what it looks like, too.
        reached: J of what it found at the other mask and of that mask.
        carried: J that what was carried is expected to reach.
    """
    return 1 - carried**2 if met is None else min(expected * sqrt(met), reached)
