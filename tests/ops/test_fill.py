from __future__ import annotations

import pytest
import torch

from vsodtool.errors import ShapeError
from vsodtool.ops.fill import fill_hole, grow, push_pull


def hole(side: int = 32) -> torch.Tensor:
    mask = torch.zeros(1, 1, side, side)
    mask[..., 10:20, 8:22] = 1
    return mask


def test_what_is_known_stays() -> None:
    image = torch.rand(2, 3, 32, 32, generator=torch.manual_seed(0))
    mask = torch.cat([hole(), hole().flip(-1)])
    filled = fill_hole(image, mask)
    assert torch.equal(filled * (1 - mask), image * (1 - mask))
    assert torch.equal(filled, fill_hole(image * (1 - mask), mask))  # the hole's content has no say


def test_a_plain_surface_is_continued_exactly() -> None:
    image = torch.full((1, 3, 32, 45), 0.3)
    mask = torch.zeros(1, 1, 32, 45)
    mask[..., 3:30, 5:40] = 1
    assert torch.allclose(fill_hole(image, mask), image, atol=1e-5)


def test_a_slope_is_continued_roughly() -> None:
    image = torch.linspace(0, 1, 32).expand(1, 1, 32, 32).clone()
    assert (fill_hole(image, hole()) - image).abs().max() < 0.2


def test_texture_is_borrowed_for_the_hole() -> None:
    image = 0.5 + 0.05 * torch.randn(1, 1, 32, 32, generator=torch.manual_seed(0))
    filled = fill_hole(image, hole())[hole() > 0]
    assert 0.02 < filled.std() < 0.1


def test_nothing_known_at_all() -> None:
    assert fill_hole(torch.rand(1, 3, 16, 16), torch.ones(1, 1, 16, 16)).abs().max() == 0


def test_growing() -> None:
    assert grow(hole(), 2).sum() == 14 * 18
    assert torch.equal(grow(hole(), 0), hole())


def test_refuses_tensors_that_do_not_fit() -> None:
    with pytest.raises(ShapeError, match="image and hole"):
        fill_hole(torch.rand(1, 3, 8, 8), torch.rand(1, 1, 8, 9))


def test_push_pull_keeps_what_is_known_and_continues_it() -> None:
    random = torch.Generator().manual_seed(0)
    known = (torch.rand(1, 1, 33, 47, generator=random) > 0.8).float()
    known[..., 20:, :] = 0
    values = torch.rand(1, 2, 33, 47, generator=random)
    found = push_pull(values * known, known)
    torch.testing.assert_close(found * known, values * known)
    least, most = (float(getattr(values[known.expand_as(values) > 0], end)()) for end in ("min", "max"))
    assert least <= float(found.min())
    assert float(found.max()) <= most
    torch.testing.assert_close(push_pull(3 * known, known), torch.full_like(known, 3))
    assert float(push_pull(0 * known, 0 * known).abs().max()) == 0
