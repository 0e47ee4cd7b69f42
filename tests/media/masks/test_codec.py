"""Ids to PNG."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.media.masks.mask_files import (
    DAVIS,
    blobs,
)
from vsodtool.media.masks.encoding import MaskEncoding
from vsodtool.media.masks.meaning import Meaning
from vsodtool.media.masks.plane_png import Palette


@given(st.sets(st.integers(1, 255), min_size=1, max_size=8))
def test_ids_survive(ids: set[int]) -> None:
    mask = blobs(*sorted(ids))
    encoding = MaskEncoding("palette", Meaning(container="palette", palette=Palette(DAVIS)))
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(encoding.encode(mask.astype(np.uint16))))), mask)


def test_ids_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="id 256 does not fit into 8 bits"):
        MaskEncoding("ids8").encode(np.full((2, 2), 256, np.uint16))
