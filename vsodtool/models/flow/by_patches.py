"""Flow by patches on the CPU: by the loops that were compiled, or by OpenCV's where there are none."""

from __future__ import annotations

from dataclasses import dataclass

from vsodtool.models.flow.dis import DisEstimator, DisSettings
from vsodtool.models.flow.inverse_search import InverseSearchEstimator
from vsodtool.native.inverse_search import SearchSettings
from vsodtool.native.library import library
from vsodtool.types import FlowEstimator


@dataclass(frozen=True)
class ByPatches:
    """Settings for a purpose.

    Attributes:
        own: where vsodtool's loops are compiled.
        opencv: where they are not: about as exact, in two to three times the time.
    """

    own: SearchSettings
    opencv: DisSettings

    def estimator(self) -> FlowEstimator:
        """What estimates with them on this machine."""
        compiled = library()
        return DisEstimator(self.opencv) if compiled is None else InverseSearchEstimator(compiled, self.own)


_MOTION = ByPatches(SearchSettings(1, 4, 3, 2), DisSettings(1, 8, 4, 12, 3))


def motion_estimator() -> FlowEstimator:
    """What networks with motion input see, wherever they are trained and used.

    Two milliseconds a flow at 256 x 256, half the size of the network's images: that of the motion maps. The
    shipped ones were trained on OpenCV's, and are as good with ours (TRIED.md, "A flow of our own").
    """
    return _MOTION.estimator()
