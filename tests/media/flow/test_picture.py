"""The colour wheel is that of Baker et al."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from vsodtool.errors import DataError
from vsodtool.media.flow.files import FlowArray
from vsodtool.media.flow.picture import colour_wheel, flow_to_rgb, write_flow_picture
from vsodtool.media.images import read_rgb


def reference_wheel() -> list[tuple[int, int, int]]:
    """makecolorwheel() of the Middlebury flow code (colorcode.cpp), written out."""
    wheel = [(255, 255 * i // 15, 0) for i in range(15)]
    wheel += [(255 - 255 * i // 6, 255, 0) for i in range(6)]
    wheel += [(0, 255, 255 * i // 4) for i in range(4)]
    wheel += [(0, 255 - 255 * i // 11, 255) for i in range(11)]
    wheel += [(255 * i // 13, 0, 255) for i in range(13)]
    wheel += [(255, 0, 255 - 255 * i // 6) for i in range(6)]
    return wheel


def reference_colour(u: float, v: float) -> list[int]:
    """computeColor() of the same, for a vector that is already divided by the largest length."""
    wheel = reference_wheel()
    radius = math.hypot(u, v)
    position = (math.atan2(-v, -u) / math.pi + 1) / 2 * (len(wheel) - 1)
    first = int(position)
    part = position - first
    pixel = []
    for channel in range(3):
        colour = (1 - part) * wheel[first][channel] / 255
        colour += part * wheel[(first + 1) % len(wheel)][channel] / 255
        colour = 1 - radius * (1 - colour) if radius <= 1 else colour * 0.75
        pixel.append(int(255 * colour))
    return pixel


def test_the_wheel_is_the_published_one() -> None:
    assert np.rint(colour_wheel() * 255).astype(int).tolist() == [
        list(colour) for colour in reference_wheel()
    ]
    with pytest.raises(ValueError, match="read-only"):
        colour_wheel()[0] = 0


def test_agrees_with_the_published_code() -> None:
    flow = np.random.default_rng(0).uniform(-1.2, 1.2, (20, 25, 2)).astype(np.float32)
    expected = [[reference_colour(float(u), float(v)) for u, v in row] for row in flow]
    assert np.abs(flow_to_rgb(flow, 1.0).astype(int) - np.array(expected)).max() <= 1


@pytest.mark.parametrize(
    ("vector", "colour"),
    [
        ((0, 0), (255, 255, 255)),
        ((10, 0), (255, 0, 0)),  # right: red
        ((20, 0), (191, 0, 0)),  # beyond the radius: darker
        ((5, 0), (255, 127, 127)),  # half as long: paler
    ],
)
def test_known_colours(vector: tuple[float, float], colour: tuple[int, int, int]) -> None:
    rgb = flow_to_rgb(np.array([[vector]], np.float32), 10.0)
    assert np.abs(rgb[0, 0].astype(int) - colour).max() <= 1


def test_directions_have_their_own_hues() -> None:
    right, down, left, up = flow_to_rgb(np.array([[(9, 0), (0, 9), (-9, 0), (0, -9)]], np.float32), 9.0)[
        0
    ].tolist()
    assert right[0] > 250
    assert max(right[1], right[2]) < 5  # red
    assert min(down[0], down[1]) > 200 > down[2]  # yellow
    assert left[2] > 250 > left[0]  # blue-cyan
    assert up[2] > 250 > up[1]  # violet


def test_the_99th_percentile_gets_the_full_colour() -> None:
    flow = np.zeros((10, 100, 2), np.float32)
    flow[..., 0] = np.linspace(0, 10, 1000).reshape(10, 100)
    flow[-1, -1] = 1e6
    assert np.array_equal(
        flow_to_rgb(flow), flow_to_rgb(flow, float(np.percentile(np.hypot(*np.moveaxis(flow, 2, 0)), 99)))
    )


def test_still_and_nearly_still_pictures_are_white() -> None:
    assert (flow_to_rgb(np.zeros((4, 4, 2), np.float32)) == 255).all()
    assert (flow_to_rgb(np.full((4, 4, 2), 1e-6, np.float32)) >= 254).all()


def test_unknown_vectors_are_black_and_change_nothing_else() -> None:
    flow = np.random.default_rng(1).normal(0, 3, (8, 8, 2)).astype(np.float32)
    whole = flow_to_rgb(flow, 5.0)
    flow[2, 3, 0], flow[4, 5, 1] = np.nan, np.inf
    before = flow.copy()
    holed = flow_to_rgb(flow, 5.0)
    assert (holed[2, 3] == 0).all()
    assert (holed[4, 5] == 0).all()
    assert (holed != whole).any(axis=2).sum() == 2
    assert np.array_equal(flow, before, equal_nan=True)
    assert (flow_to_rgb(np.full((2, 2, 2), np.nan, np.float32)) == 0).all()


def test_written_as_a_picture(tmp_path: Path) -> None:
    flow: FlowArray = np.random.default_rng(1).normal(0, 3, (9, 7, 2)).astype(np.float32)
    write_flow_picture(tmp_path / "sub" / "flow.png", flow, 4.0)
    assert np.array_equal(read_rgb(tmp_path / "sub" / "flow.png"), flow_to_rgb(flow, 4.0))


@pytest.mark.parametrize("radius", [0.0, -1.0, math.nan])
def test_a_radius_that_is_none_is_refused(radius: float) -> None:
    with pytest.raises(DataError, match="above 0"):
        flow_to_rgb(np.zeros((2, 2, 2), np.float32), radius)


def test_another_shape_is_refused() -> None:
    with pytest.raises(DataError, match=r"\(H, W, 2\)"):
        flow_to_rgb(np.zeros((2, 2, 3), np.float32))
