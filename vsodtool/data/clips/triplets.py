"""What FGPLG is trained on: a labelled frame that is to be found again from two others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from vsodtool.data.augmentation import AUGMENTATION, Augmentation, Look
from vsodtool.data.batches import FgplgSample
from vsodtool.data.clips.still_clips import make_still_clip
from vsodtool.data.clips.still_motion import StillMotion
from vsodtool.data.clips.video_motion import LazyEstimator
from vsodtool.data.sources.labelled import LabelledFrame, LabelledVideo
from vsodtool.errors import ConfigError, DataError
from vsodtool.media.crops import WHOLE, crop_map, read_crop, read_label
from vsodtool.ops.sampling.sample_order import SampleKey, resolve_key, sample_generator
from vsodtool.ops.warp import sample
from vsodtool.types import FlowEstimator

_APART = (1.0, 3.0)  # frames that lie between two made ones, per step of the gap


class _Item(NamedTuple):
    video: int
    place: int


class _Pictures(NamedTuple):
    images: Tensor  # uint8 (3, 3, S, S)
    labels: Tensor  # float32 (3, 1, S, S)
    names: tuple[str, str, str]
    flows: Tensor | None = None  # exact ones, float32 (2, 2, S, S)


class FgplgDataset(Dataset[FgplgSample]):
    """Triplets of given frames of one video (Yan et al., ICCV 2019, section 3.3), resized to a square.

    Every given frame that has one on both sides is a target. Pseudo-labels are not used. Flows are estimated
    between the pictures as the network sees them. A sample is a function of (seed, epoch, index), of the
    files and of the estimator.

    Args:
        videos: labelled ones; from still images triplets are made by moving them.
        size: side of the square in pixels.
        estimator: makes the flow estimator, once in every process that reads (estimators cannot be sent
            from one to another); None uses the exact flow, which only still images have.
        seed: of everything random.
        augmentation: None for validation.
        gap: how many given frames away the left and the right one are, drawn for each between these two
            numbers, or as many as there are; (1, 1) = the paper.
        motion: how still images move; None leaves them out.

    Raises:
        ConfigError: `size` or `gap` is out of range, or videos are given without an estimator.
        DataError: there is not a single triplet.
    """

    def __init__(
        self,
        videos: Sequence[LabelledVideo],
        *,
        size: int,
        estimator: Callable[[], FlowEstimator] | None,
        seed: int = 0,
        augmentation: Augmentation | None = AUGMENTATION,
        gap: tuple[int, int] = (1, 1),
        motion: StillMotion | None = StillMotion(),  # noqa: B008 (frozen)
    ) -> None:
        if size < 1 or not 1 <= gap[0] <= gap[1]:
            raise ConfigError(
                f"triplets: expected size >= 1 and 1 <= gap[0] <= gap[1], found {size} and {gap}"
            )
        self._videos = tuple(shot for video in videos for shot in video.by_shot())
        self._size, self._seed, self._gap = size, seed, gap
        self._augmentation, self._motion = augmentation, motion
        self._make_estimator = estimator
        self._estimator = LazyEstimator()
        if estimator is None and any(not video.stills for video in self._videos):
            raise ConfigError("triplets of videos need a flow estimator, found none")
        self._items = [
            _Item(number, place)
            for number, video in enumerate(self._videos)
            for place in self._targets(video)
        ]
        if not self._items:
            raise DataError(
                "expected videos with at least 3 given masks to make triplets of, found none",
                "give videos with more masks, or still images with motion switched on",
            )

    def __len__(self) -> int:
        """Number of targets."""
        return len(self._items)

    def __getitem__(self, key: SampleKey) -> FgplgSample:
        """The sample (epoch, index), or the sample `index` of epoch 0.

        Raises:
            DataError: a file cannot be read any more.
        """
        epoch, index = resolve_key(key, len(self._items))
        rng = sample_generator(self._seed, (epoch, index))
        item = self._items[index]
        video = self._videos[item.video]
        if video.stills and self._motion is not None:
            pictures = self._make(video, video.given[item.place], self._motion, rng)
        else:
            pictures = self._read(video, self._choose(video.given, item.place, rng), rng)
        if self._augmentation is not None and rng.random() < self._augmentation.reverse:
            pictures = _reversed(pictures)
        flows = self._estimate(pictures.images) if pictures.flows is None else pictures.flows
        return FgplgSample(
            images=pictures.images,
            labels=pictures.labels,
            flows=flows,
            warped=sample(pictures.labels[[0, 2]], flows).clamp_(0, 1),
            weights=torch.ones_like(pictures.labels[1]),
            video=video.name,
            names=pictures.names,
        )

    def _targets(self, video: LabelledVideo) -> range:
        if video.stills:
            return range(len(video.given) if self._motion is not None else 0)
        return range(1, len(video.given) - 1)

    def _choose(
        self, given: Sequence[LabelledFrame], place: int, rng: np.random.Generator
    ) -> list[LabelledFrame]:
        left, right = rng.integers(self._gap[0], self._gap[1], 2, endpoint=True)
        ends = (max(place - int(left), 0), min(place + int(right), len(given) - 1))
        return [given[ends[0]], given[place], given[ends[1]]]

    def _read(self, video: LabelledVideo, frames: list[LabelledFrame], rng: np.random.Generator) -> _Pictures:
        masks = [read_label(frame.mask, video.encoding) for frame in frames]
        box, look = WHOLE, Look()
        if self._augmentation is not None:
            box = self._augmentation.draw_box(rng, np.logical_or.reduce(masks))
            look = self._augmentation.draw_look(rng)
        images = np.stack(
            [read_crop(frame.image, frame.size, box, self._size, frame.levels) for frame in frames]
        )
        labels = torch.from_numpy(np.stack([crop_map(mask, box, self._size) for mask in masks]))[:, None]
        return _Pictures(
            look.apply(torch.from_numpy(images).permute(0, 3, 1, 2)).contiguous(),
            look.mirror(labels).contiguous(),
            (frames[0].name, frames[1].name, frames[2].name),
        )

    def _make(
        self, video: LabelledVideo, frame: LabelledFrame, motion: StillMotion, rng: np.random.Generator
    ) -> _Pictures:
        steps = rng.integers(self._gap[0], self._gap[1], 2, endpoint=True)
        left, right = (rng.uniform(*_APART, 2) * steps).tolist()
        clip = make_still_clip(
            video,
            frame,
            ages=[-left, 0.0, right],
            side=self._size,
            motion=motion,
            augmentation=self._augmentation,
            rng=rng,
        )
        exact = None
        if self._make_estimator is None:
            exact = torch.cat([clip.flow(1, 0), clip.flow(1, 2)])
        names = (f"{frame.name}+0", f"{frame.name}+1", f"{frame.name}+2")
        return _Pictures(clip.images, clip.labels, names, exact)

    def _estimate(self, images: Tensor) -> Tensor:
        if self._make_estimator is None:
            raise ConfigError("triplets of videos need a flow estimator, found none")
        estimator = self._estimator.get(self._make_estimator)
        floats = images.float() / 255
        return estimator.estimate(floats[[1, 1]], floats[[0, 2]])


def _reversed(pictures: _Pictures) -> _Pictures:
    left, target, right = pictures.names
    return _Pictures(
        pictures.images.flip(0),
        pictures.labels.flip(0),
        (right, target, left),
        None if pictures.flows is None else pictures.flows.flip(0),
    )
