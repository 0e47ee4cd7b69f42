"""Dense inverse search (Kroeger et al., ECCV 2016) by our own loops: on the CPU, where they are compiled.

Beside OpenCV's (`dis.py`): steps of full length where OpenCV's have an eighth, so three do for twelve; wider
registers; the refinement of a row stays in the cache. benchmarks/TRIED.md, "A flow of our own".
"""

from __future__ import annotations

from dataclasses import astuple
from typing import ClassVar, cast

from vsodtool.models.flow.grey_pairs import FloatArray, GreyArray, GreyPairs
from vsodtool.native.inverse_search import LEAST_SIDE, SearchSettings, inverse_search
from vsodtool.native.library import Library


class InverseSearchEstimator(GreyPairs):
    """Optical flow by dense inverse search; the same bits on every machine of one kind.

    Args:
        library: see `vsodtool.native.library.library`.
        settings: its knobs.
    """

    least_side: ClassVar[int] = LEAST_SIDE

    def __init__(self, library: Library, settings: SearchSettings) -> None:
        self._library, self.settings = library, settings

    @property
    def name(self) -> str:
        """`inverse-search` and its settings, in the order of `SearchSettings`."""
        return f"inverse-search({','.join(str(value) for value in astuple(self.settings))})"

    def _flow(self, first: GreyArray, second: GreyArray, start: FloatArray | None) -> FloatArray:
        return inverse_search(
            self._library, cast(FloatArray, first), cast(FloatArray, second), start, self.settings
        )
