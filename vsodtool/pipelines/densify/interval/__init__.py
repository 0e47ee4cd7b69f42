"""Intervals: two neighbouring labels and the frames between them, streamed from a video."""

from vsodtool.pipelines.densify.interval.computed import OfLatest, OfLiving
from vsodtool.pipelines.densify.interval.interval import Frames, Interval
from vsodtool.pipelines.densify.interval.labelled_frame import LabelledFrame
from vsodtool.pipelines.densify.interval.sparse_video import SparseVideo
from vsodtool.pipelines.densify.interval.streaming import Reading, stream_intervals
from vsodtool.pipelines.densify.interval.tensors import to_channels, to_image

__all__ = [
    "Frames",
    "Interval",
    "LabelledFrame",
    "OfLatest",
    "OfLiving",
    "Reading",
    "SparseVideo",
    "stream_intervals",
    "to_channels",
    "to_image",
]
