"""Pictures that are no masks: photographs, and photographs with a mask shown over them."""

from __future__ import annotations

from collections.abc import Iterable

from vsodtool.errors import DataError
from vsodtool.media.masks.statistics import MaskSummary

_FEWEST_VALUES = 100
_DARK = 1 / 32  # of the largest value: what a JPEG makes of black
_MOST_DARK = 0.1  # of all pixels
_LEAST_BETWEEN = 0.5  # of all pixels, neither dark nor bright


def refuse_photographs(summaries: Iterable[MaskSummary]) -> None:
    """Refuse files that are all in colours or greys of any value, with next to nothing that is black.

    A mask, also a soft one or an object cut out in its own colours, is nothing in most places.

    Args:
        summaries: of the masks of one video.

    Raises:
        DataError: naming the first such file.
    """
    for summary in summaries:
        share = 0.0 if summary.palette is not None or summary.transparent else _share_between(summary)
        if share:
            raise DataError(
                f"{summary.path}: expected a mask, found a photograph: {share:.0%} of its pixels are neither "
                "black nor white",
                "give masks on black, not frames, masks shown over them, or maps in false colours",
            )


def _share_between(summary: MaskSummary) -> float:
    """The share of pixels that are neither dark nor bright, of a photograph; 0 of a mask."""
    counts = summary.absolute.counts
    low, high = summary.full * _DARK, summary.full * (1 - _DARK)
    pixels = sum(counts.values())
    dark = sum(count for value, count in counts.items() if value <= low)
    between = sum(count for value, count in counts.items() if low < value < high)
    photographed = len(counts) >= _FEWEST_VALUES and dark < _MOST_DARK * pixels
    return between / pixels if photographed and between >= _LEAST_BETWEEN * pixels else 0.0
