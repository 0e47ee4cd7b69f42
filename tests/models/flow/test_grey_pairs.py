from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from tests.models.flow.test_dis import pair, tensor, texture
from tests.native.compiled import compiled
from vsodtool.errors import ShapeError
from vsodtool.models.flow.dis import DisEstimator, DisSettings
from vsodtool.models.flow.grey_pairs import GreyPairs
from vsodtool.models.flow.inverse_search import InverseSearchEstimator
from vsodtool.native.inverse_search import SearchSettings

EVERY = {
    "opencv": lambda: DisEstimator(DisSettings(0, 8, 4, 16, 5)),
    "own": lambda: InverseSearchEstimator(compiled(), SearchSettings(0, 4, 3, 2)),
}
every = pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)
Make = Callable[[], GreyPairs]


@every
def test_batches_equal_single_pairs_and_arguments_stay(make: Make) -> None:
    pairs = [pair(64, 80, 3, 1), pair(64, 80, -2, 0)]
    image_a, image_b = (torch.cat([one[side] for one in pairs]) for side in (0, 1))
    initial = torch.ones(2, 2, 64, 80)
    copies = image_a.clone(), image_b.clone(), initial.clone()
    both = make().estimate(image_a, image_b, initial=initial)
    single = [make().estimate(a, b, initial=initial[:1]) for a, b in pairs]
    assert torch.equal(both, torch.cat(single))
    assert all(
        torch.equal(now, before) for now, before in zip((image_a, image_b, initial), copies, strict=True)
    )


@every
def test_the_initial_flow_is_honoured(make: Make) -> None:
    """A shift out of reach for a search that starts at nothing, within reach of one that starts near it."""
    big = texture(96, 256, seed=3)
    image_a, image_b = tensor(big[:, 100:196]), tensor(big[:, 60:156])
    initial = torch.zeros(1, 2, 96, 96)
    initial[:, 0] = 39
    inner = (slice(None), 0, slice(12, -12), slice(8, 48))
    lost = (make().estimate(image_a, image_b)[inner] - 40).abs().median()
    found = (make().estimate(image_a, image_b, initial=initial)[inner] - 40).abs().median()
    assert found < 0.5 < lost


@every
def test_several_threads_get_what_one_gets(make: Make) -> None:
    pairs = [pair(64, 80, shift, -shift) for shift in range(-4, 4)] * 3
    used = make()
    expected = [used.estimate(*one) for one in pairs]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda one: used.estimate(*one), pairs))
    assert all(torch.equal(a, b) for a, b in zip(expected, found, strict=True))


@every
def test_refusals(make: Make) -> None:
    image = torch.rand(1, 3, 40, 40)
    with pytest.raises(ShapeError, match="image_b"):
        make().estimate(image, image[0])
    with pytest.raises(ShapeError, match="image_a and image_b"):
        make().estimate(image, torch.rand(1, 3, 40, 41))
    with pytest.raises(ShapeError, match="initial"):
        make().estimate(image, image, initial=image)
