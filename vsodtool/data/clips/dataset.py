"""Clips of labelled frames for training and validation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset

from vsodtool.data.augmentation import AUGMENTATION, Augmentation, Look
from vsodtool.data.batches import ClipSample
from vsodtool.data.clips.still_clips import make_still_clip
from vsodtool.data.clips.still_motion import StillMotion
from vsodtool.data.clips.video_motion import VideoMotion
from vsodtool.data.clips.windows import count_clips, draw_window, fixed_window, widest_gap
from vsodtool.data.sources.labelled import LabelledFrame, LabelledVideo
from vsodtool.errors import ConfigError, DataError
from vsodtool.media.crops import WHOLE, Box, crop_map, read_crop, read_label
from vsodtool.media.images import read_grey
from vsodtool.ops.motion.maps import mirror_maps, no_motion, reverse_maps
from vsodtool.ops.sampling.sample_order import SampleKey, resolve_key, sample_generator
from vsodtool.types import FlowEstimator

# Made motion gives the object away more clearly than real motion does: half of the time pictures must do.
_MADE_STILL = 0.5


@dataclass(frozen=True)
class _Item:
    video: int
    clip: int


class ClipDataset(Dataset[ClipSample]):
    """Clips of labelled frames in order, resized to a square.

    For training (with an augmentation) a clip starts at a random place within its share of the video and is
    varied as a whole; for validation (without) the clips hold every given frame, unchanged, and beside it
    pseudo-labelled ones whose pixels have no weight: they are seen and not judged. A sample is a function of
    (seed, epoch, index) and of the files alone.

    Args:
        videos: at least one labelled frame each.
        clip_length: T; 1 gives single images, one item for every labelled frame.
        size: side of the square in pixels.
        seed: of everything random.
        augmentation: None for validation.
        confidence_weight: weigh pseudo-labels by their confidence (False = the paper).
        motion: how clips of more than one frame are made from still images, one clip an image; None leaves
            still images out.
        estimator: makes the flow estimator of motion maps, once in every process that reads; None makes no
            motion maps.

    Raises:
        ConfigError: `clip_length` or `size` is not positive.
        DataError: there is nothing to make clips of.
    """

    def __init__(
        self,
        videos: Sequence[LabelledVideo],
        *,
        clip_length: int,
        size: int,
        seed: int = 0,
        augmentation: Augmentation | None = AUGMENTATION,
        confidence_weight: bool = False,
        motion: StillMotion | None = StillMotion(),  # noqa: B008 (frozen)
        estimator: Callable[[], FlowEstimator] | None = None,
    ) -> None:
        if clip_length < 1 or size < 1:
            raise ConfigError(
                f"clips: expected a positive clip_length and size, found {clip_length} and {size}"
            )
        self._videos = tuple(shot for video in videos for shot in video.by_shot())
        self._length, self._size = clip_length, size
        self._augmentation = augmentation
        self._confidence_weight = confidence_weight
        self._motion = motion
        self._maps = None if estimator is None else VideoMotion(estimator, size)
        self._seed = seed
        self._items = [
            _Item(number, clip)
            for number, video in enumerate(self._videos)
            for clip in range(self._count(video))
            if augmentation is not None or self._moves(video) or self._is_judged(video, clip)
        ]
        if not self._items:
            raise DataError(
                "expected labelled frames to make clips of, found none",
                "check --data; from still images clips are made only with motion switched on",
            )

    def __len__(self) -> int:
        """Number of clips in an epoch."""
        return len(self._items)

    def __getitem__(self, key: SampleKey) -> ClipSample:
        """The clip (epoch, index), or the clip `index` of epoch 0.

        Raises:
            DataError: a file cannot be read any more.
        """
        epoch, index = resolve_key(key, len(self._items))
        item = self._items[index]
        video = self._videos[item.video]
        rng = sample_generator(self._seed, (epoch, index))
        if self._moves(video) and self._motion is not None:
            return self._make(video, video.frames[item.clip], self._motion, rng)
        if self._augmentation is None:
            places = fixed_window(len(video.frames), self._length, item.clip)
            return self._read(video, places)
        places = self._draw(len(video.frames), item.clip, self._augmentation.gap, rng)
        if rng.random() < self._augmentation.reverse:
            places.reverse()
        return self._without_a_sense(self._read(video, places, rng), rng)

    def _draw(self, frames: int, clip: int, gap: int, rng: np.random.Generator) -> list[int]:
        widest = widest_gap(frames, self._length, gap)
        gap = int(rng.integers(1, widest + 1)) if widest > 1 else 1
        return draw_window(frames, self._length, clip, rng.random(), gap)

    def _count(self, video: LabelledVideo) -> int:
        if self._moves(video):
            return len(video.frames) if self._motion is not None else 0
        return count_clips(len(video.frames), self._length)

    def _is_judged(self, video: LabelledVideo, clip: int) -> bool:
        places = fixed_window(len(video.frames), self._length, clip)
        return any(video.frames[place].given for place in places)

    def _moves(self, video: LabelledVideo) -> bool:
        return video.stills and self._length > 1

    def _make(
        self, video: LabelledVideo, frame: LabelledFrame, motion: StillMotion, rng: np.random.Generator
    ) -> ClipSample:
        at_rest = int(rng.integers(self._length))
        clip = make_still_clip(
            video,
            frame,
            ages=[place - at_rest for place in range(self._length)],
            side=self._size,
            motion=motion,
            augmentation=self._augmentation,
            rng=rng,
        )
        sample = ClipSample(
            images=clip.images,
            labels=clip.labels,
            weights=torch.ones_like(clip.labels),
            video=video.name,
            names=tuple(f"{frame.name}+{place}" for place in range(self._length)),
            motion=None if self._maps is None else self._maps.of_clip(clip.images),
        )
        return self._without_a_sense(sample, rng, still=_MADE_STILL)

    def _read(
        self, video: LabelledVideo, places: list[int], rng: np.random.Generator | None = None
    ) -> ClipSample:
        frames = [video.frames[place] for place in places]
        masks = [read_label(frame.mask, video.encoding) for frame in frames]
        box, look = WHOLE, Look()
        if self._augmentation is not None and rng is not None:
            box = self._augmentation.draw_box(rng, np.logical_or.reduce(masks))
            look = self._augmentation.draw_look(rng)
        images = np.stack(
            [read_crop(frame.image, frame.size, box, self._size, frame.levels) for frame in frames]
        )
        labels = np.stack([crop_map(mask, box, self._size) for mask in masks])
        weights = np.stack([self._weigh(frame, box) for frame in frames])
        return ClipSample(
            images=look.apply(torch.from_numpy(images).permute(0, 3, 1, 2)).contiguous(),
            labels=look.mirror(_as_maps(labels)).contiguous(),
            weights=look.mirror(_as_maps(weights)).contiguous(),
            video=video.name,
            names=tuple(frame.name for frame in frames),
            motion=self._see_motion(video, places, box, look),
        )

    def _see_motion(self, video: LabelledVideo, places: list[int], box: Box, look: Look) -> Tensor | None:
        """The motion maps of a clip, varied as its pictures are."""
        if self._maps is None:
            return None
        if video.stills:
            return no_motion(self._size).half()[None]
        maps = torch.stack([self._maps.of_frame(video, place, box) for place in places])
        maps = reverse_maps(maps) if places[0] > places[-1] else maps
        return (mirror_maps(maps) if look.flip else maps).contiguous()

    def _without_a_sense(
        self, sample: ClipSample, rng: np.random.Generator, *, still: float | None = None
    ) -> ClipSample:
        """Now and then one of the two senses fails, so that the network learns to go by either."""
        if self._augmentation is None or sample.motion is None:
            return sample
        chance = rng.random()
        still = self._augmentation.still if still is None else max(still, self._augmentation.still)
        if chance < self._augmentation.blind:
            return replace(sample, images=torch.full_like(sample.images, 128))
        if chance < self._augmentation.blind + still:
            return replace(sample, motion=torch.zeros_like(sample.motion))
        return sample

    def _weigh(self, frame: LabelledFrame, box: Box) -> npt.NDArray[np.float32]:
        if self._augmentation is None and not frame.given:
            return np.zeros((self._size, self._size), np.float32)
        if frame.given or not self._confidence_weight:
            return np.ones((self._size, self._size), np.float32)
        if frame.confidence_map is None:
            return np.full((self._size, self._size), frame.confidence, np.float32)
        return crop_map(read_grey(frame.confidence_map), box, self._size) / np.float32(255)


def _as_maps(stack: npt.NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(stack)[:, None]
