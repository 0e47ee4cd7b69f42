"""What vsodtool is compared with: copying the nearest mask, shape interpolation, direct flow.

Each yields (index, mask) for the frames that were not given; masks are bool (H, W).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt
from davis import Sequence
from scipy.ndimage import distance_transform_edt

from vsodtool.media.images import read_grey, read_rgb

Mask = npt.NDArray[np.bool_]
Map = npt.NDArray[np.float32]
SIGMA = 1.5  # pixels: forward-backward error that halves the trust, roughly


def copy_nearest(sequence: Sequence, every: int) -> Iterator[tuple[int, Mask]]:
    """The given mask that is closest in time, the earlier of two."""
    for index, left, right in _targets(sequence, every):
        yield index, _mask(sequence, left if index - left <= right - index else right)


def shape_interpolation(sequence: Sequence, every: int) -> Iterator[tuple[int, Mask]]:
    """Linear interpolation of signed distance maps: what annotation tools do with polygons."""
    distances: dict[int, Map] = {}
    for index, left, right in _targets(sequence, every):
        distances = {
            i: distances[i] if i in distances else _signed_distance(_mask(sequence, i)) for i in (left, right)
        }
        share = (index - left) / (right - left)
        yield index, (1 - share) * distances[left] + share * distances[right] > 0


def direct_flow(sequence: Sequence, every: int) -> Iterator[tuple[int, Mask]]:
    """Labels warped by DIS flow (MEDIUM) from both labelled frames, fused by consistency and closeness."""

    @lru_cache(maxsize=4)
    def grey(index: int) -> npt.NDArray[np.uint8]:
        return np.asarray(cv2.cvtColor(read_rgb(sequence.frames[index]), cv2.COLOR_RGB2GRAY), np.uint8)

    def flow(images: tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]) -> Map:
        estimator = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        return np.asarray(estimator.calc(*images, None), np.float32)  # type: ignore[call-overload]

    with ThreadPoolExecutor() as pool:
        for index, left, right in _targets(sequence, every):
            here = grey(index)
            pairs = [pair for side in (left, right) for pair in ((here, grey(side)), (grey(side), here))]
            flows = list(pool.map(flow, pairs))
            weight, total = np.float32(0), np.float32(0)
            for side, there, back in zip((left, right), flows[::2], flows[1::2], strict=True):
                error = there + _warp(back, there)
                closeness = 1 - abs(index - side) / (right - left)
                trust = (np.exp(-(error**2).sum(axis=-1) / (2 * SIGMA**2)) + np.float32(1e-6)) * closeness
                weight = weight + trust
                total = total + trust * _warp(_mask(sequence, side).astype(np.float32), there)
            yield index, np.asarray(total / weight > 0.5)


def _targets(sequence: Sequence, every: int) -> Iterator[tuple[int, int, int]]:
    """(index, given before, given after) of the frames between."""
    given = sequence.given(every)
    for index in range(len(sequence.frames)):
        if index not in given:
            after = bisect_right(given, index)
            yield index, given[after - 1], given[after]


def _mask(sequence: Sequence, index: int) -> Mask:
    return read_grey(sequence.masks[index]) > 127


def _signed_distance(mask: Mask) -> Map:
    far = np.float32(np.hypot(*mask.shape))
    if not mask.any():
        return np.full(mask.shape, -far)
    if mask.all():
        return np.full(mask.shape, far)
    inside, outside = distance_transform_edt(mask), distance_transform_edt(~mask)
    return np.asarray(inside - outside, np.float32)


def _warp(image: Map, flow: Map) -> Map:
    """`image` read at x + flow(x), bilinear, clamped at the border."""
    height, width = flow.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    place = (x + flow[..., 0], y + flow[..., 1])
    return np.asarray(cv2.remap(image, *place, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)
