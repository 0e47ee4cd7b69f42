"""Motion maps of training data: of labelled frames of videos, remembered, and of clips made from images."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from vsodtool.data.sources.labelled import LabelledVideo
from vsodtool.media.crops import WHOLE, Box, read_crop
from vsodtool.ops.motion.frame_motion import frame_motion
from vsodtool.ops.motion.layout import looks
from vsodtool.types import FlowEstimator


class LazyEstimator:
    """An estimator made when it is first needed; left behind when the dataset is sent to another process."""

    def __init__(self) -> None:
        self._made: FlowEstimator | None = None
        self._lock = threading.Lock()

    def get(self, make: Callable[[], FlowEstimator]) -> FlowEstimator:
        """The estimator of this process."""
        with self._lock:
            if self._made is None:
                self._made = make()
            return self._made

    def __getstate__(self) -> dict[str, object]:
        return {}

    def __setstate__(self, state: dict[str, object]) -> None:
        del state
        self._made = None
        self._lock = threading.Lock()


MOST_BYTES = 1 << 30  # of maps that one process remembers: 2700 frames at 256 x 256
_PICTURES = 16  # small frames that are kept: neighbours are needed several times


class VideoMotion:
    """What a network sees of the motion in training data.

    The neighbours of a frame are the labelled ones of its video. Their maps are made once, of whole frames,
    and remembered up to MOST_BYTES: flow is slower than everything else that a sample needs.
    """

    def __init__(self, estimator: Callable[[], FlowEstimator], side: int) -> None:
        """Nothing is estimated yet.

        Args:
            estimator: makes the flow estimator, once in every process that reads.
            side: S, of the network's images.
        """
        self._make, self._side = estimator, side
        self._estimator = LazyEstimator()
        self._maps: dict[tuple[str, Path, int], Tensor] = {}
        self._pictures: OrderedDict[Path, Tensor] = OrderedDict()
        self._bytes = 0

    def of_frame(self, video: LabelledVideo, place: int, box: Box = WHOLE) -> Tensor:
        """The maps of a frame of a video, float16 (CHANNELS, S / 2, S / 2).

        A crop shows a part of the maps of the whole frame; its velocities stay as they are, in units of the
        whole frame.

        Args:
            video: with frames in temporal order.
            place: of the frame among them.
            box: the part that the network sees.

        Raises:
            DataError: a file cannot be read any more.
        """
        key = (video.name, video.place, video.frames[place].position)
        maps = self._maps.get(key)
        if maps is None:
            maps = self._estimate(video, place)
            if self._bytes + maps.nbytes <= MOST_BYTES:
                self._maps[key] = maps
                self._bytes += maps.nbytes
        return maps if box == WHOLE else _crop(maps, box)

    def of_clip(self, images: Tensor) -> Tensor:
        """The maps of a clip that is a video by itself: uint8 (T, 3, S, S) -> float16 (T, CHANNELS, *, *)."""
        pictures = dict(enumerate(images))
        estimator = self._estimator.get(self._make)
        last = len(images) - 1
        return torch.stack([frame_motion(pictures, place, 0, last, estimator) for place in pictures])

    def _estimate(self, video: LabelledVideo, place: int) -> Tensor:
        last = len(video.frames) - 1
        needed = {place, *(look.neighbour for look in looks(place, 0, last) if look.neighbour is not None)}
        pictures = {neighbour: self._picture(video, neighbour) for neighbour in sorted(needed)}
        return frame_motion(pictures, place, 0, last, self._estimator.get(self._make))

    def _picture(self, video: LabelledVideo, place: int) -> Tensor:
        frame = video.frames[place]
        picture = self._pictures.pop(frame.image, None)
        if picture is None:
            rgb = read_crop(frame.image, frame.size, WHOLE, self._side, frame.levels)
            picture = torch.from_numpy(rgb).permute(2, 0, 1).contiguous()
        self._pictures[frame.image] = picture
        while len(self._pictures) > _PICTURES:
            self._pictures.popitem(last=False)
        return picture

    def __getstate__(self) -> dict[str, object]:
        # What is remembered stays behind when the dataset is sent to another process.
        return {**vars(self), "_maps": {}, "_pictures": OrderedDict(), "_bytes": 0}


def _crop(maps: Tensor, box: Box) -> Tensor:
    size = (maps.shape[-2], maps.shape[-1])
    part = maps[(slice(None), *box.pixels(size))].float()[None]
    return functional.interpolate(part, size=size, mode="bilinear", align_corners=False)[0].half()
