"""The warp against the published code's arrays, scipy, and exact shifts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates

from tests.native.compiled import compiled
from vsodtool.errors import ShapeError
from vsodtool.ops import warp
from vsodtool.ops.warp import backward_warp, compose_flows, sample, sample_all

GOLDEN = Path(__file__).parents[1] / "data" / "golden.npz"

sizes = st.tuples(st.integers(1, 9), st.integers(1, 9))


def shift_flow(right: float, down: float, size: tuple[int, int]) -> torch.Tensor:
    flow = torch.empty(1, 2, *size)
    flow[:, 0], flow[:, 1] = right, down
    return flow


@pytest.mark.parametrize("side", [0, 1])
def test_the_published_code_warps_alike(side: int) -> None:
    # tests/data/README.md says where the arrays are from. Float32 positions: 1e-5 of a label that is 0 or 1.
    golden = np.load(GOLDEN)
    labels, flow = (torch.from_numpy(golden[name][side]) for name in ("fgplg_labels", "fgplg_flows"))
    warped, _ = backward_warp(labels, flow)
    np.testing.assert_allclose(warped.numpy(), golden["fgplg_warped"][side], atol=2e-5)


@settings(max_examples=50, deadline=None)
@given(sizes, sizes, st.integers(0, 2**31), st.integers(-3, 3), st.integers(-3, 3))
def test_it_is_bilinear_sampling_clamped_to_the_border(
    size: tuple[int, int], box: tuple[int, int], seed: int, top: int, left: int
) -> None:
    random = np.random.default_rng(seed)
    image = random.standard_normal(size)
    flow = random.uniform(-6, 6, (2, *box))
    warped, inside = backward_warp(
        torch.from_numpy(image)[None, None], torch.from_numpy(flow)[None], origin=(top, left)
    )
    rows, columns = np.meshgrid(np.arange(box[0]) + top, np.arange(box[1]) + left, indexing="ij")
    rows, columns = rows + flow[1], columns + flow[0]
    expected = map_coordinates(image, [rows, columns], order=1, mode="nearest")
    np.testing.assert_allclose(warped[0, 0].numpy(), expected, atol=1e-9)
    is_inside = (rows >= 0) & (rows <= size[0] - 1) & (columns >= 0) & (columns <= size[1] - 1)
    np.testing.assert_array_equal(inside[0, 0].numpy(), is_inside)


@given(sizes, sizes, st.integers(0, 2**31))
@settings(max_examples=30, deadline=None)
def test_where_torch_does_not_clamp_it_is_clamped_alike(
    size: tuple[int, int], box: tuple[int, int], seed: int
) -> None:
    random = np.random.default_rng(seed)
    image = torch.from_numpy(random.standard_normal((1, 2, *size)))
    flow = torch.from_numpy(random.uniform(-6, 6, (1, 2, *box)))
    expected = sample(image, flow)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(warp, "_CLAMPS_ITSELF", set())
        torch.testing.assert_close(sample(image, flow), expected, rtol=0, atol=1e-9)


def by_torch(image: torch.Tensor, flow: torch.Tensor, origin: tuple[int, int] = (0, 0)) -> torch.Tensor:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(warp, "library", lambda: None)
        return sample(image, flow, origin=origin)


@given(
    sizes,
    sizes,
    st.tuples(st.integers(1, 3), st.integers(1, 4), st.booleans()),
    st.sampled_from([0.3, 6.0, 1e9]),
    st.integers(0, 2**31),
)
@settings(max_examples=100, deadline=None)
def test_the_compiled_loops_sample_as_torch_does(
    size: tuple[int, int],
    box: tuple[int, int],
    shape: tuple[int, int, bool],
    far: float,
    seed: int,
) -> None:
    compiled()
    batch, channels, one = shape
    origin = seed % 7 - 3, seed % 5 - 2
    random = np.random.default_rng(seed)
    image = torch.from_numpy(random.random((batch, channels, *size), np.float32))
    flow = torch.from_numpy(random.uniform(-far, far, (1 if one else batch, 2, *box)).astype(np.float32))
    found = sample(image, flow, origin=origin)
    assert found.dtype is torch.float32
    torch.testing.assert_close(found, by_torch(image, flow, origin), rtol=0, atol=1e-5)
    torch.testing.assert_close(
        found.double(), sample(image.double(), flow.double(), origin=origin), rtol=0, atol=1e-5
    )


@pytest.mark.parametrize("side", [127, 128, 129, 300])
def test_rows_of_any_length_are_sampled(side: int) -> None:
    compiled()
    image, flow = torch.rand(1, 2, 3, side), torch.randn(1, 2, 3, side) * 4
    torch.testing.assert_close(sample(image, flow), by_torch(image, flow), rtol=0, atol=5e-5)


def test_views_are_sampled_as_what_they_show() -> None:
    image, flow = torch.rand(2, 9, 12, 3), torch.randn(2, 20, 24, 2)
    views = [
        (image.permute(0, 3, 1, 2), flow.permute(0, 3, 1, 2)),
        (image.permute(0, 3, 1, 2)[..., 2:7, 1:9], flow.permute(0, 3, 2, 1)[..., 3:9, 4:11]),
        (torch.rand(1, 2, 1, 6).expand(2, 2, 5, 6), torch.randn(1, 2, 1, 1).expand(1, 2, 4, 4)),
        (torch.rand(2, 3, 14, 9)[:, :, ::2], torch.rand(1, 2, 8, 8)[..., ::2, ::2]),
    ]
    for seen, moved in views:
        packed = sample(seen.contiguous(), moved.contiguous())
        assert torch.equal(sample(seen, moved), packed)
        torch.testing.assert_close(packed, by_torch(seen, moved), rtol=0, atol=1e-5)


def test_several_images_are_sampled_as_each_by_itself() -> None:
    flow = torch.randn(1, 2, 20, 24) * 5
    wide = torch.rand(1, 2, 20, 50)
    images = [torch.rand(1, 3, 20, 24), wide[..., 7:31], torch.rand(1, 1, 20, 24), wide[..., 1:25]]
    for each in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            if each:
                patch.setattr(warp, "library", lambda: None)
            together = sample_all(images, flow, origin=(1, -2))
            assert len(together) == len(images)
            for image, found in zip(images, together, strict=True):
                assert torch.equal(found, sample(image, flow, origin=(1, -2)))


def test_several_images_have_to_agree() -> None:
    with pytest.raises(ShapeError, match="images_b"):
        sample_all([torch.rand(1, 3, 5, 5), torch.rand(1, 3, 5, 6)], torch.rand(1, 2, 5, 5))


def test_what_is_the_same_everywhere_stays_the_same_to_the_last_bit() -> None:
    compiled()
    image = torch.full((1, 1, 30, 40), 0.1)
    assert torch.equal(sample(image, torch.randn(1, 2, 30, 40) * 20), image)


def test_a_flow_that_is_no_number_samples_the_image_nevertheless() -> None:
    flow = torch.tensor([torch.nan, torch.inf, -torch.inf]).view(1, 1, 1, 3).expand(1, 2, 1, 3)
    assert torch.equal(sample(torch.ones(1, 1, 5, 5), flow), torch.ones(1, 1, 1, 3))


def test_gradients_come_through_and_other_types_are_kept() -> None:
    image = torch.rand(1, 1, 6, 6, requires_grad=True)
    flow = torch.zeros(1, 2, 6, 6)
    sample(image, flow).sum().backward()
    assert image.grad is not None
    with torch.no_grad():
        assert sample(image, flow).dtype is torch.float32
    assert sample(image.detach().double(), flow).dtype is torch.float64


@given(sizes, st.integers(-10, 10), st.integers(-10, 10))
@settings(max_examples=50, deadline=None)
def test_whole_pixel_shifts_move_pixels(size: tuple[int, int], right: int, down: int) -> None:
    image = torch.arange(size[0] * size[1], dtype=torch.float64).view(1, 1, *size)
    warped, _ = backward_warp(image, shift_flow(right, down, size).double())
    rows = (torch.arange(size[0]) + down).clamp(0, size[0] - 1)
    columns = (torch.arange(size[1]) + right).clamp(0, size[1] - 1)
    torch.testing.assert_close(warped, image[..., rows, :][..., columns])


def test_one_flow_serves_a_batch_and_channels_are_independent() -> None:
    images = torch.rand(3, 4, 6, 5)
    flow = shift_flow(0.5, -0.25, (6, 5))
    together, _ = backward_warp(images, flow)
    for batch in range(3):
        for channel in range(4):
            alone, _ = backward_warp(images[batch : batch + 1, channel : channel + 1], flow)
            torch.testing.assert_close(together[batch, channel], alone[0, 0])


def test_arguments_stay_as_they_were() -> None:
    image, flow = torch.rand(1, 1, 5, 5), torch.rand(1, 2, 5, 5)
    before = image.clone(), flow.clone()
    backward_warp(image, flow)
    compose_flows(flow, flow)
    assert torch.equal(image, before[0])
    assert torch.equal(flow, before[1])


def test_composed_translations_add_up() -> None:
    size = (8, 9)
    composed = compose_flows(shift_flow(1.5, -2, size), shift_flow(-0.25, 3, size))
    torch.testing.assert_close(composed, shift_flow(1.25, 1, size))


def test_composing_warps_like_warping_twice() -> None:
    # b(x) = a ramp, so bilinear sampling is exact and two warps may be compared with one.
    size = (12, 12)
    ramp = torch.arange(144, dtype=torch.float64).view(1, 1, *size)
    first = shift_flow(1, 1, size).double() + 0.3
    second = (torch.rand(1, 2, *size, dtype=torch.float64) - 0.5) * 0.5
    once, _ = backward_warp(ramp, compose_flows(first, second))
    twice, _ = backward_warp(backward_warp(ramp, second)[0], first)
    torch.testing.assert_close(once[..., 1:9, 1:9], twice[..., 1:9, 1:9])


def test_composing_on_a_box_is_composing_everywhere() -> None:
    to_c = torch.randn(1, 2, 10, 12, dtype=torch.float64)
    to_b = torch.randn(1, 2, 10, 12, dtype=torch.float64) * 3
    everywhere = compose_flows(to_b, to_c)
    in_box = compose_flows(to_b[..., 3:7, 2:11], to_c, origin=(3, 2))
    torch.testing.assert_close(in_box, everywhere[..., 3:7, 2:11])


@pytest.mark.parametrize(
    ("image", "flow", "said"),
    [
        (torch.rand(1, 1, 4, 4), torch.rand(1, 3, 4, 4), "flow_a_to_b: expected a floating"),
        (torch.rand(1, 4, 4), torch.rand(1, 2, 4, 4), "image_b: expected a floating"),
        (torch.ones(1, 1, 4, 4, dtype=torch.int64), torch.rand(1, 2, 4, 4), "image_b"),
        (torch.rand(2, 1, 4, 4), torch.rand(3, 2, 4, 4), "expected a batch of 1 or 2, found 3"),
    ],
)
def test_wrong_shapes_are_refused(image: torch.Tensor, flow: torch.Tensor, said: str) -> None:
    with pytest.raises(ShapeError, match=said):
        backward_warp(image, flow)
