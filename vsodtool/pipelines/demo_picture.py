"""The picture of the demo: what was given above, what came back below."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vsodtool.data.generated_clip import GeneratedClip
from vsodtool.media.sheet import Colour, Layer, Row, draw_sheet
from vsodtool.types import ImageArray

COLUMNS = 5
GIVEN: Colour = (255, 214, 10)
GENERATED: Colour = (40, 255, 150)
TRUTH: Colour = (255, 255, 255)


def demo_picture(
    clip: GeneratedClip,
    dense: list[npt.NDArray[np.bool_]],
    given: list[int],
    j: float | None,
    f: float | None,
) -> ImageArray:
    """Two rows over one interval in the middle of the clip, from one given mask to the next.

    Args:
        clip: frames and truth.
        dense: a mask per frame, bool (H, W).
        given: indices of the frames whose mask was given, sorted.
        j: region J to print, None leaves it out.
        f: boundary F to print.

    Returns:
        uint8 (H, W, 3) RGB.
    """
    shown = shown_indices(given, len(clip.frames))
    above, below = [], []
    for index in shown:
        frame, truth = clip.frames[index], clip.masks[index]
        is_given = index in given
        above.append((frame, [Layer(truth, GIVEN, opacity=0.45, thickness=2)] if is_given else []))
        fill = Layer(dense[index], GIVEN if is_given else GENERATED, opacity=0.6)
        below.append((frame, [fill, Layer(truth, TRUTH, thickness=1)]))
    scores = "" if j is None or f is None else f"     J {j:.3f}     F {f:.3f}"
    return draw_sheet(
        [
            Row(f"You give {len(given)} masks", f"a video of {len(clip.frames)} frames", above),
            Row(f"You get {len(clip.frames)} masks", f"white line: the truth{scores}", below),
        ]
    )


def shown_indices(given: list[int], count: int) -> list[int]:
    """Up to COLUMNS frames, evenly over the interval that ends at the middle given mask (or over all)."""
    right = len(given) // 2
    first, last = (given[right - 1], given[right]) if right else (0, count - 1)
    return sorted({round(first + (last - first) * k / (COLUMNS - 1)) for k in range(COLUMNS)})
