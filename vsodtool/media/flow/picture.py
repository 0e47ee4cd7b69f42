"""Flow as a picture, in the colour wheel of Baker et al., "A Database and Evaluation Methodology for Optical
Flow", ICCV 2007: direction is hue, length is saturation, no motion is white.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vsodtool.errors import DataError
from vsodtool.media.flow.files import FlowArray
from vsodtool.media.images import write_png
from vsodtool.types import ImageArray

# Steps from each hue of the wheel to the next: red, yellow, green, cyan, blue, magenta, red.
_STEPS = (15, 6, 4, 11, 13, 6)
_HUES = ((255, 0, 0), (255, 255, 0), (0, 255, 0), (0, 255, 255), (0, 0, 255), (255, 0, 255))
_SMALLEST_RADIUS = 1e-3  # pixels; a still picture stays white instead of showing its rounding errors


@cache
def colour_wheel() -> npt.NDArray[np.float32]:
    """The 55 colours of the wheel, float32 (55, 3), RGB in [0, 1]; entry 0, red, is motion to the right."""
    segments = []
    for index, steps in enumerate(_STEPS):
        start, end = np.array(_HUES[index]), np.array(_HUES[(index + 1) % len(_HUES)])
        ramp = np.floor(255 * np.arange(steps) / steps)[:, None] / 255
        colours = start + ramp * (end - start)
        segments.append(colours)
    wheel: npt.NDArray[np.float32] = (np.concatenate(segments) / 255).astype(np.float32)
    wheel.setflags(write=False)
    return wheel


def flow_to_rgb(flow: FlowArray, max_radius: float | None = None) -> ImageArray:
    """Colour a flow field.

    Args:
        flow: (H, W, 2), pixels, channel 0 right, channel 1 down; NaN or infinite where unknown.
        max_radius: the length that gets the full colour; longer vectors are darker. None takes the 99th
            percentile of the lengths in this field (give one number for a film, or its colours will flicker).

    Returns:
        RGB uint8 (H, W, 3); unknown vectors are black.

    Raises:
        DataError: the array has another shape, or the radius is not above zero.
    """
    if flow.ndim != 3 or flow.shape[2] != 2:
        raise DataError(f"flow to draw: expected an array (H, W, 2), found {flow.shape}")
    if max_radius is not None and not max_radius > 0:
        raise DataError(f"largest flow to draw: expected a length above 0, found {max_radius}")
    known = np.isfinite(flow).all(axis=2)
    u, v = (np.where(known, flow[..., channel], np.float32(0)) for channel in (0, 1))
    length = np.hypot(u, v)
    if max_radius is None:
        max_radius = max(float(np.percentile(length[known], 99)), _SMALLEST_RADIUS) if known.any() else 1.0
    radius = (length / np.float32(max_radius))[..., None]

    wheel = colour_wheel()
    position = (np.arctan2(-v, -u) / np.float32(np.pi) + 1) / 2 * (len(wheel) - 1)
    lower = np.floor(position).astype(np.intp)
    part = (position - lower)[..., None]
    colour = (1 - part) * wheel[lower] + part * wheel[(lower + 1) % len(wheel)]
    colour = np.where(radius <= 1, 1 - radius * (1 - colour), colour * np.float32(0.75))
    colour[~known] = 0
    picture: ImageArray = np.floor(255 * colour).astype(np.uint8)
    return picture


def write_flow_picture(path: Path, flow: FlowArray, max_radius: float | None = None) -> None:
    """Write the picture of `flow_to_rgb` as a PNG, atomically.

    Raises:
        DataError: as `flow_to_rgb`.
        DeviceError: the file cannot be written.
    """
    write_png(path, flow_to_rgb(flow, max_radius))
