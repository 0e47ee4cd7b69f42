"""Whose pixels look like this one? A search in the labelled frames around where the flow says it came from.

Flow answers with one place. Where it is wrong by a few pixels (thin limbs, what comes out of occlusion), a
better match lies near by, and it has an owner. Patch-based label fusion in the manner of Coupé et al.,
NeuroImage 2011.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor
from torch.nn import functional

from vsodtool.native.library import Library, library
from vsodtool.native.maps import readable
from vsodtool.native.matching import Costs, owner_costs
from vsodtool.ops.boxes import Box, bounding_box, bounding_boxes
from vsodtool.ops.confidence import owner_probabilities

DISTANCE_COST = 0.3 / 255  # per pixel of displacement: of two equal matches the nearer one
WRONG_OWNER_COST = 0.5  # more than patches differ: a match speaks for its own owner only
UNCERTAIN = 0.02  # soft labels within this of 0 or 1 are settled
_UNITS = 8 * 255  # costs are counted in eighths of a grey level; 16 bits hold sums of values up to 16
WORST = 60 / 255  # what an owner costs that has no pixel near by


@dataclass(frozen=True)
class Search:
    """Where to look and how much to believe it.

    Attributes:
        radius: of the round window, pixels.
        step: between the places looked at, pixels.
        weight: logits per grey level of difference between the best matches of two owners.
    """

    radius: int = 9
    step: int = 3
    weight: float = 0.2

    def places(self) -> list[tuple[int, int]]:
        """(rows, columns) relative to the pixel, itself among them."""
        reach = self.radius // self.step * self.step
        along = range(-reach, reach + 1, self.step)
        return [(row, column) for row in along for column in along if math.hypot(row, column) <= self.radius]


BALANCED = Search(step=4, radius=8)  # of `--quality balanced`, which the learned densifier was trained behind


def match_owners(
    labels: Tensor, image: Tensor, warped: Tensor, warped_labels: Tensor, *, search: Search
) -> Tensor:
    """Soft labels, corrected by the best matches of each owner near by.

    Two ways that find the same costs: torch's, and on CPUs compiled loops, which search one part of the image
    after the other, so that it stays in the cache, and only what is in doubt, in a third of the time.

    Args:
        labels: soft labels before (1, O, H, W) in [0, 1].
        image: the target frame (1, 3, H, W) in [0, 1].
        warped: labelled frames seen from it (S, 3, H, W).
        warped_labels: their labels seen from it (S, O, H, W) in [0, 1].
        search: window and weight.

    Returns:
        (1, O, H, W) in [0, 1]. Settled pixels stay as they are.
    """
    most = labels.amax(dim=1, keepdim=True)
    doubt = torch.minimum(most, 1 - most)
    loops = library() if readable(labels, image, warped, warped_labels) else None
    result = labels
    for box in _doubtful(labels, doubt):
        around = box.grow(search.radius + 1, 0.0, (labels.shape[-2], labels.shape[-1]))
        inner = box.shift(-around.top, -around.left)
        maps = (around.crop(image), around.crop(warped), around.crop(warped_labels))
        result = labels.clone() if result is labels else result
        view, wanted = box.crop(result), box.crop(doubt) > UNCERTAIN
        if loops is None:
            found = _corrected(view, inner.crop(_owner_costs(*maps, search)), search)
            view.copy_(torch.where(wanted, found, view))
        else:
            costs = _compiled_costs(loops, maps, search, inner, wanted[0, 0])
            rows, columns = wanted[0, 0].nonzero(as_tuple=True)
            before, costs = view[..., rows, columns][..., None], costs[..., rows, columns][..., None]
            view[..., rows, columns] = _corrected(before, costs, search)[..., 0]
    return result


def _corrected(labels: Tensor, costs: Tensor, search: Search) -> Tensor:
    """Soft labels (1, O, h, w) that also believe in what owners cost (1, 1 + O, h, w)."""
    logits = owner_probabilities(labels).clamp_min(0.002).log() - search.weight * 255 * costs
    return torch.softmax(logits, dim=1)[:, 1:]


def _doubtful(labels: Tensor, doubt: Tensor) -> list[Box]:
    """Boxes, apart from each other, that hold all pixels in doubt: those of objects that are far apart."""
    box = bounding_box(doubt, UNCERTAIN)
    if box is None or labels.shape[1] == 1:
        return [] if box is None else [box]
    of_objects = bounding_boxes((labels[0] > UNCERTAIN) & (doubt[0] > UNCERTAIN))
    found: list[Box] = []
    for each in filter(None, of_objects):
        joint = each
        while near := [other for other in found if other.meets(joint)]:
            found = [other for other in found if other not in near]
            joint = reduce(Box.union, near, joint)
        found.append(joint)
    return found


def _compiled_costs(
    loops: Library, maps: tuple[Tensor, Tensor, Tensor], search: Search, box: Box, wanted: Tensor
) -> Tensor:
    """Those of `_owner_costs` on a box of the maps: (1, 1 + O, h, w), right where wanted, bool (h, w)."""
    places = [(*place, _distance_cost(place)) for place in search.places()]
    costs = Costs(places, _UNITS, 9 * WRONG_OWNER_COST, 9 * _UNITS, round(9 * WORST * _UNITS))
    return owner_costs(loops, maps, wanted, box.origin, costs)


def _distance_cost(place: tuple[int, int]) -> int:
    """Of a place relative to the pixel."""
    return round(9 * DISTANCE_COST * _UNITS * math.hypot(*place))


def _owner_costs(image: Tensor, warped: Tensor, warped_labels: Tensor, search: Search) -> Tensor:
    """The difference of the best match of each owner (1, 1 + O, H, W), in [0, WORST]."""
    height, width = image.shape[-2:]
    image = _to_units(functional.pad(image, (1, 1, 1, 1), mode="replicate"))
    radius = search.radius + 1
    padding = (radius, radius, radius, radius)
    warped = _to_units(functional.pad(warped, padding, mode="replicate"))
    blame = (1 - owner_probabilities(warped_labels)) * (9 * WRONG_OWNER_COST)
    blame = _to_units(functional.pad(blame, padding, mode="replicate"))
    # Costs are sums over nine pixels here, so that no place needs a division.
    worst = round(9 * WORST * _UNITS)
    costs = blame.new_full((1, blame.shape[1], height, width), worst)
    # With several objects each costs only where it is: where blame alone is the worst, no match is better.
    sources, owners = blame.shape[:2]
    several = owners > 2
    found = bounding_boxes((blame < worst).flatten(0, 1)) if several else []
    near = [(*divmod(number, owners), box) for number, box in enumerate(found) if box is not None]
    # One buffer for all places: fresh memory for each would cost more than the arithmetic.
    difference = warped.new_empty((*warped.shape[:2], height + 2, width + 2))
    matches = blame.new_empty((sources, 0 if several else owners, height, width))
    for row, column in search.places():
        top, left = search.radius + row, search.radius + column
        area = (..., slice(top, top + height + 2), slice(left, left + width + 2))
        torch.sub(warped[area], image, out=difference).abs_()
        largest = torch.maximum(difference[:, 0:1], difference[:, 1:2])
        patch = _box_sum(torch.maximum(largest, difference[:, 2:3], out=largest))
        patch += _distance_cost((row, column))
        here = Box(top + 1, left + 1, top + 1 + height, left + 1 + width)
        if not several:
            torch.add(here.crop(blame), patch, out=matches)
            for match in matches:
                torch.minimum(costs[0], match, out=costs[0])
        for source, owner, box in near:
            if not box.meets(here):
                continue
            common = box.within(here)
            inside = common.shift(-here.top, -here.left)
            best = inside.crop(costs[0, owner])
            torch.minimum(best, inside.crop(patch[source, 0]) + common.crop(blame[source, owner]), out=best)
    return costs.float().div_(9 * _UNITS)


def _to_units(values: Tensor) -> Tensor:
    """Values in [0, 9 WRONG_OWNER_COST] as whole numbers, int16."""
    return (values * _UNITS).round_().to(torch.int16)


def _box_sum(values: Tensor) -> Tensor:
    """Sum over 3 x 3 pixels of (B, C, H + 2, W + 2): (B, C, H, W)."""
    rows = (values[..., :-2, :] + values[..., 1:-1, :]).add_(values[..., 2:, :])
    return (rows[..., :-2] + rows[..., 1:-1]).add_(rows[..., 2:])
