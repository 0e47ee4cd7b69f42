"""Rings along pixel edges, against the rasteriser of pycocotools."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays

from vsodtool.media.annotations.rings import flat, one_ring, trace_parts
from vsodtool.media.annotations.runs import MaskArray
from vsodtool.media.annotations.shapes import coco_polygon

MASKS = arrays(bool, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=16))


@given(MASKS)
def test_rings_fill_to_the_mask_again(mask: MaskArray) -> None:
    parts = trace_parts(mask)
    if not parts:
        assert not mask.any()
        return
    size = (mask.shape[0], mask.shape[1])
    each = coco_polygon([flat(one_ring([part])) for part in parts], "here")(size)
    joined = coco_polygon([flat(one_ring(parts))], "here")(size)
    np.testing.assert_array_equal(each, mask)
    np.testing.assert_array_equal(joined, mask)


def test_a_ring_with_a_hole() -> None:
    mask = np.ones((3, 3), bool)
    mask[1, 1] = False
    (part,) = trace_parts(mask)
    assert part.outline == [(0, 0), (3, 0), (3, 3), (0, 3)]
    assert part.holes == [[(1, 1), (1, 2), (2, 2), (2, 1)]]
