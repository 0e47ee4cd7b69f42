"""The picture of the demo: what was given above, what came back below."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vsodtool.data.generated.clip import GeneratedClip
from vsodtool.media.pictures.sheet import Colour, Layer, Row, draw_sheet
from vsodtool.types import ImageArray

COLUMNS = 5
GIVEN: Colour = (255, 210, 20)
GENERATED: Colour = (40, 230, 130)
NOTHING: Colour = (52, 60, 71)
TRUTH: Colour = (255, 255, 255)


def demo_picture(
    clip: GeneratedClip,
    dense: list[npt.NDArray[np.bool_]],
    given: list[int],
    j: float | None,
    f: float | None,
) -> ImageArray:
    """Two rows over one interval in the middle of the clip, from one given mask to the next.

    Above each row a time line of the whole clip; frames without a mask are dark.

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
        colour = GIVEN if index in given else GENERATED
        hand_made = [Layer(truth, GIVEN, opacity=0.7), Layer(truth, TRUTH, thickness=1)]
        above.append((frame, hand_made) if index in given else (_dark(frame), []))
        below.append((frame, [Layer(dense[index], colour, opacity=0.7), Layer(truth, TRUTH, thickness=1)]))
    scores = "" if j is None or f is None else f"     J {j:.3f}     F {f:.3f}"
    frames = range(len(clip.frames))
    return draw_sheet(
        [
            Row(
                f"You give {len(given)} masks",
                f"a video of {len(clip.frames)} frames",
                above,
                strip=[GIVEN if index in given else NOTHING for index in frames],
                tags=[f"frame {index}: {'mask' if index in given else 'no mask'}" for index in shown],
            ),
            Row(
                f"You get {len(clip.frames)} masks",
                f"white line: the truth{scores}",
                below,
                strip=[GIVEN if index in given else GENERATED for index in frames],
                tags=[f"frame {index}: {'as given' if index in given else 'made'}" for index in shown],
            ),
        ]
    )


def _dark(frame: ImageArray) -> ImageArray:
    """The frame in dim grey."""
    grey = (frame.mean(axis=2, keepdims=True) * 0.6).astype(np.uint8)
    return np.repeat(grey, 3, axis=2)


def shown_indices(given: list[int], count: int) -> list[int]:
    """Up to COLUMNS frames, evenly over the interval that ends at the middle given mask (or over all)."""
    right = len(given) // 2
    first, last = (given[right - 1], given[right]) if right else (0, count - 1)
    return sorted({round(first + (last - first) * k / (COLUMNS - 1)) for k in range(COLUMNS)})
