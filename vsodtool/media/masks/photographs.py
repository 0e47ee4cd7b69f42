"""Pictures that are no masks: photographs, and photographs with a mask shown over them."""

from __future__ import annotations

from collections.abc import Sequence

from vsodtool.errors import DataError
from vsodtool.media.masks.statistics import MaskSummary

_FEWEST_VALUES = 100
_DARK = 1 / 32  # of the largest value: what a JPEG makes of black
_MOST_DARK = 0.1  # of all pixels
_LEAST_BETWEEN = 0.5  # of all pixels, neither dark nor bright


def refuse_photographs(summaries: Sequence[MaskSummary]) -> None:
    """Refuse files that are all in colours or greys of any value, with next to nothing that is black.

    A mask, also a soft one or an object cut out in its own colours, is nothing in most places.

    Args:
        summaries: of the masks of one video.

    Raises:
        DataError: naming the first of them.
    """
    seen = [summary for summary in summaries if summary.palette is None and not summary.transparent]
    if not seen or len(seen) < len(summaries):
        return
    values: set[int] = set()
    dark = between = pixels = 0
    for summary in seen:
        low, high = summary.full * _DARK, summary.full * (1 - _DARK)
        for value, count in summary.absolute.counts.items():
            values.add(value)
            pixels += count
            dark += count * (value <= low)
            between += count * (low < value < high)
    if len(values) >= _FEWEST_VALUES and dark < _MOST_DARK * pixels and between >= _LEAST_BETWEEN * pixels:
        raise DataError(
            f"{seen[0].path}: expected a mask, found a photograph: {between / pixels:.0%} of its pixels and "
            "of those of the masks beside it are neither black nor white",
            "give masks on black, not frames, masks shown over them, or maps in false colours",
        )
