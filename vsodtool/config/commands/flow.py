"""The options of `vsodtool flow`."""

from __future__ import annotations

from vsodtool.config.base import MotionConfig
from vsodtool.config.option import Panel, configuration, option

DIRECTIONS = ("forward", "backward", "both")
FLOW_FORMATS = ("flo", "png", "npz")


@configuration
class FlowConfig(MotionConfig):
    """Options of `vsodtool flow`."""

    direction: str = option(
        "forward: from each frame to the one --step later; backward: from that one back.",
        default="forward",
        choices=DIRECTIONS,
    )
    step: int = option("Frames between the two of a pair.", default=1, least=1)
    format: str = option(
        "flo: Middlebury; png: KITTI, 16 bit; npz: NumPy, key flow.", default="flo", choices=FLOW_FORMATS
    )
    preview: bool = option(
        "A picture of each flow in the usual colours, OUT/preview.", default=False, panel=Panel.EXTRA
    )
