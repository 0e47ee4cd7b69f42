"""The optical flow that networks with motion input were trained on; theirs wherever they are used."""

from __future__ import annotations

from vsodtool.models.flow.dis import DisEstimator, DisSettings
from vsodtool.types import FlowEstimator

# At half the size of the network's images, which is the size of the motion maps.
MOTION_FLOW = DisSettings(1, 8, 4, 12, 3)


def motion_estimator() -> FlowEstimator:
    """DIS on the CPU, a few milliseconds a flow at 256 x 256."""
    return DisEstimator(MOTION_FLOW)
