"""Where one shot of a video ends and the next begins: hard cuts, dissolves, fades through one colour.

All is seen on thumbnails. At a hard cut not even motion makes two neighbouring frames alike. The frames of a
dissolve are made of the frames at its two ends, and have less detail than either: A. Hanjalic, "Shot-boundary
detection: unraveled and resolved?", IEEE TCSVT 12(2), 2002. The same in another light is no new shot.

The numbers were chosen on davis-train, benchmarks/cuts.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import median
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from vsodtool.ops.labels.exposure import in_light_of
from vsodtool.ops.warp import sample
from vsodtool.types import ImageArray

THUMBNAIL = 96  # pixels of a thumbnail's longer side, about
MOVED = 0.35  # change of neighbouring frames, looked at coarsely, below which they are of one shot
CUT = 0.42  # difference of neighbouring frames, see `difference`
LIT = 0.36  # difference from which on it may be the light that changed: half of it gone is 0.30
STANDS_OUT = 1.8  # times the median of the differences around it
AROUND = 8  # frames to each side which that median is of
NOTHING = 3 / 255  # detail of a frame in which there is nothing to see
FLASH = 3  # frames; what is alike across as many is one shot, and a shot is not shorter
SPANS = (6, 12)  # frames from the middle of a dissolve to frames outside it
APART = 0.45  # difference of those outside
MADE_OF = 0.55  # share of the middle that the ends leave unexplained, at most
LEAST_SHARE = 0.2  # that each end must have in the middle
DETAIL = 0.78  # of the middle, of that of the ends, at most
GONE = 0.4  # detail of the middle of a fade

_BLOCK, _STEP = 9, 4  # pixels of the patches whose structure is compared, and from one to the next
_NOISE = 4 / 255  # standard deviation of a patch in which there is nothing to see
_STRONG = 20 / 255  # standard deviation from which on patches count alike
_COARSE = (18, 32)

Differ = Callable[[Tensor, Tensor], float]  # of two frames (1, 3, h, w), see `difference`


def difference(image_a: Tensor, image_b: Tensor, flow_a_to_b: Tensor, flow_b_to_a: Tensor) -> Tensor:
    """How little two frames are of one scene: what motion does not explain.

    The geometric mean of two answers: how little the patches correlate, which another light does not touch,
    and how far the colours are from each other. About 0 for neighbours, 1 for frames of two videos.

    Args:
        image_a: (B, 3, H, W) in [0, 1].
        image_b: alike.
        flow_a_to_b: (B, 2, H, W) in pixels.
        flow_b_to_a: alike.

    Returns:
        (B,), at least 0.
    """
    contrast = torch.stack([image.flatten(1).std(dim=1) for image in (image_a, image_b)])
    contrast = contrast.square().mean(dim=0).sqrt() + 5 / 255
    structures, colours = [], []
    for here, there, flow in ((image_a, image_b, flow_a_to_b), (image_b, image_a, flow_b_to_a)):
        warped = sample(there, flow)
        structures.append(_unlike(here, warped))
        colours.append((here - warped).abs().mean(dim=(1, 2, 3)) / contrast)
    return (torch.stack(structures).mean(dim=0) * torch.stack(colours).mean(dim=0)).sqrt()


def _unlike(image: Tensor, other: Tensor) -> Tensor:
    """1 - correlation of the patches, those with more to see count more (B,)."""
    x, y = image.mean(dim=1, keepdim=True), other.mean(dim=1, keepdim=True)
    block = min(_BLOCK, *x.shape[-2:])
    means = functional.avg_pool2d(torch.cat((x, y, x * x, y * y, x * y), dim=1), block, _STEP)
    mean_x, mean_y, xx, yy, xy = means.unbind(dim=1)
    of_x, of_y = (xx - mean_x.square()).clamp_min(0), (yy - mean_y.square()).clamp_min(0)
    correlation = (xy - mean_x * mean_y) / ((of_x * of_y).sqrt() + _NOISE**2)
    weight = torch.maximum(of_x, of_y).sqrt().clamp_max(_STRONG)
    return (weight * (1 - correlation)).mean(dim=(1, 2)) / (weight.mean(dim=(1, 2)) + 1 / 255)


def detail(image: Tensor) -> float:
    """How much there is to see in a frame (1, 3, H, W): the standard deviation within its patches."""
    grey = image.mean(dim=1)
    block = min(_BLOCK, *grey.shape[-2:])
    means = functional.avg_pool2d(torch.cat((grey, grey * grey)), block)
    return float((means[1] - means[0].square()).mean().clamp_min(0).sqrt())


class Blend(NamedTuple):
    """A frame as a sum of two others, each without its mean colour.

    Attributes:
        first: weight of the first one, at least 0.
        second: weight of the second one, at least 0.
        rest: length of what they leave unexplained, by the mean length of the two.
    """

    first: float
    second: float
    rest: float


def blend(frame: Tensor, first: Tensor, second: Tensor) -> Blend:
    """Fit a frame by two others, all vectors of length N: p first + q second, p and q at least 0."""
    aa, bb, ab = float(first @ first), float(second @ second), float(first @ second)
    xa, xb, xx = float(frame @ first), float(frame @ second), float(frame @ frame)
    tiny = 1e-9
    area = aa * bb - ab * ab
    p, q = ((xa * bb - xb * ab) / area, (xb * aa - xa * ab) / area) if area > tiny else (0.0, 0.0)
    if p < 0 or q < 0 or area <= tiny:
        alone = [(max(xa / (aa + tiny), 0.0), 0.0), (0.0, max(xb / (bb + tiny), 0.0))]
        p, q = max(alone, key=lambda pair: pair[0] * xa + pair[1] * xb)
    rest = max(xx - p * xa - q * xb, 0.0)
    return Blend(p, q, math.sqrt(rest / ((aa + bb) / 2 + tiny)))


class _Seen(NamedTuple):
    """What is kept of a frame: itself, without colour cast and small, and how much there is to see."""

    image: Tensor
    coarse: Tensor
    detail: float


class _Gradual(NamedTuple):
    """A frame in the middle of a dissolve or fade, as far as can be told."""

    middle: int
    span: int
    detail: float
    cut: int


class CutSearch:
    """Thumbnails of a video, told one by one -> where its shots begin.

    It holds a few dozen thumbnails, however long the video is.
    """

    def __init__(self, differ: Differ) -> None:
        """Begin a video.

        Args:
            differ: `difference` of pairs of frames.
        """
        self._differ = differ
        self._seen: dict[int, _Seen] = {}
        self._differences: dict[int, float] = {}  # of a frame from the one before it, where they may be apart
        self._count = 0
        self._looked = 0
        self._cuts: dict[int, float] = {}
        self._lit: set[int] = set()  # frames from which on the same is seen in another light
        self._empty: set[int] = set()  # frames in which there is nothing to see
        self._gradual: list[_Gradual] = []

    def add(self, image: Tensor) -> None:
        """The next frame, see `thumbnail`."""
        at = self._count
        self._seen[at] = _Seen(image, _coarse(image), detail(image))
        self._count += 1
        if at and _moved(self._seen[at - 1].coarse, self._seen[at].coarse) > MOVED:
            self._differences[at] = self._difference(at - 1, at)
            if self._differences[at] > LIT >= self._relit_difference(at - 1, at):
                self._lit.add(at)
        if at >= self._looked + SPANS[-1]:
            self._look()

    def end(self) -> list[int]:
        """There are no more frames: the positions at which shots begin, without 0, ascending."""
        while self._looked < self._count:
            self._look()
        cuts: list[int] = []
        inside = range(FLASH, self._count - FLASH + 1)
        for at in sorted(self._cuts, key=lambda cut: -self._cuts[cut]):
            if at in inside and not any(self._is_one(*sorted((at, other))) for other in cuts):
                cuts.append(at)
        for each in sorted(filter(self._is_sure, self._gradual), key=lambda found: found.detail):
            if each.cut in inside and all(abs(each.middle - other) > SPANS[-1] for other in cuts):
                cuts.append(each.cut)
        return sorted(cuts)

    def _is_sure(self, found: _Gradual) -> bool:
        """A blend shows in more than one frame; only a fade may be dark in one alone."""
        near = (abs(other.middle - found.middle) for other in self._gradual)
        return found.detail < GONE or any(0 < distance <= SPANS[0] for distance in near)

    def _is_one(self, cut: int, later: int) -> bool:
        """Whether two cuts are the ends of one change: of a fade, with little between them but one colour."""
        if later - cut > SPANS[-1]:
            return False
        return later - cut < FLASH or sum(at in self._empty for at in range(cut, later)) > (later - cut) / 2

    def _look(self) -> None:
        """Decide about one frame: those around it are there."""
        at = self._looked
        self._looked += 1
        if self._differences.get(at, 0.0) > CUT and at not in self._lit and self._is_cut(at):
            self._cuts[at] = self._differences[at]
        if self._seen[at].detail < NOTHING:
            self._empty.add(at)
        self._gradual += [found for span in SPANS if (found := self._gradual_at(at, span)) is not None]
        for kept in (self._seen, self._differences):
            kept.pop(at - SPANS[-1], None)

    def _difference(self, first: int, second: int) -> float:
        return self._differ(self._seen[first].image, self._seen[second].image)

    def _relit_difference(self, first: int, second: int) -> float:
        """Their difference in one light: lamps that are switched on or off begin no shot."""
        image, other = self._seen[first].image, self._seen[second].image
        relit = in_light_of(other, image)
        return self._difference(first, second) if relit is other else self._differ(image, relit)

    def _is_cut(self, at: int) -> bool:
        """Whether nothing a few frames before is like anything a few frames after, and around it much is."""
        near = [other for other in range(at - AROUND, at + AROUND + 1) if 0 < other < self._count]
        around = median(self._differences.get(other, 0.0) for other in near if other != at) if near[1:] else 0
        if self._differences[at] < STANDS_OUT * around:
            return False
        before = range(max(at - FLASH, 0), at)
        after = range(at, min(at + FLASH, self._count))
        return all(self._difference(first, second) > CUT for first in before for second in after)

    def _gradual_at(self, at: int, span: int) -> _Gradual | None:
        first, last = max(at - span, 0), min(at + span, self._count - 1)
        if min(at - first, last - at) < SPANS[0] or not self._lit.isdisjoint(range(first + 1, last + 1)):
            return None
        left, here, right = (self._seen[index] for index in (first, at, last))
        mix = blend(here.coarse, left.coarse, right.coarse)
        share = (mix.second + 1e-3) / (mix.first + mix.second + 2e-3)
        ends = math.sqrt((1 - share) * left.detail**2 + share * right.detail**2)
        less = here.detail / (ends + 1 / 255)
        if less > DETAIL or mix.rest > MADE_OF or not LEAST_SHARE < share < 1 - LEAST_SHARE:
            return None
        inner = self._edges(at, first, last)
        if min(self._difference(first, last), self._difference(*inner)) < APART:
            return None
        mixes = [
            blend(self._seen[index].coarse, left.coarse, right.coarse) for index in range(first, last + 1)
        ]
        return _Gradual(at, span, less, first + _change([each.second - each.first for each in mixes]))

    def _edges(self, at: int, first: int, last: int) -> tuple[int, int]:
        """The nearest frames to each side that have got back half of the detail that the middle lacks."""
        middle = self._seen[at].detail
        found = []
        for side, end in ((range(at - 1, first, -1), first), (range(at + 1, last), last)):
            half = (middle + self._seen[end].detail) / 2
            found.append(next((index for index in side if self._seen[index].detail >= half), end))
        return found[0], found[1]


def _change(leanings: Sequence[float]) -> int:
    """Where numbers turn from negative to positive: the split with the least on the wrong side."""
    total, best, split = 0.0, 0.0, 0
    for number, value in enumerate(leanings, 1):
        total += value
        if total < best:
            best, split = total, number
    return split


def thumbnail(rgb: ImageArray) -> Tensor:
    """A frame, RGB uint8 (H, W, 3), as float32 (1, 3, h, w) in [0, 1]; its longer side about `THUMBNAIL`."""
    step = max(max(rgb.shape[:2]) // THUMBNAIL, 1)
    pixels = max(step // 2, 1)  # every second one first, and so on: the whole frame as floats would cost more
    image = torch.from_numpy(rgb[::pixels, ::pixels]).permute(2, 0, 1)[None].float().div_(255)
    return functional.avg_pool2d(image, min(step // pixels, *image.shape[-2:]), ceil_mode=True)


def _coarse(image: Tensor) -> Tensor:
    small = functional.adaptive_avg_pool2d(image, _COARSE)
    return (small - small.mean(dim=(2, 3), keepdim=True)).flatten()


def _moved(coarse: Tensor, other: Tensor) -> float:
    contrast = torch.stack((coarse, other)).square().mean().sqrt() + 5 / 255
    return float((coarse - other).abs().mean() / contrast)
