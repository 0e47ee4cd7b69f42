"""Labels that fit their frames no better than other places of these: whoever learns them proves nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vsodtool.data.sources.labelled import LabelledFrame, LabelledVideo
from vsodtool.media.crops import read_label
from vsodtool.media.images import read_rgb
from vsodtool.ops.contour_fit import FitSample, edge_profile, edges_elsewhere, find_contour, judge_fit
from vsodtool.ops.inverted import look_inverted
from vsodtool.ops.sampling.sample_order import spread
from vsodtool.types import LabelArray

MASKS = 6  # of a video that are looked at
VIDEOS = 20


class Doubt(NamedTuple):
    """What the contours of given masks say.

    Attributes:
        videos: names of those whose masks are not of their frames, it seems.
        looked_at: number of videos.
    """

    videos: tuple[str, ...] = ()
    looked_at: int = 0

    @property
    def is_general(self) -> bool:
        """Whether it is so of half of the videos: then no score against these masks proves anything."""
        return bool(self.videos) and 2 * len(self.videos) >= self.looked_at


def doubt_labels(videos: Iterable[LabelledVideo]) -> Doubt:
    """Look at some given masks of each video, and at some of the videos if there are many.

    Args:
        videos: parts of one video count as one.

    Raises:
        DataError: a file cannot be read any more.
    """
    groups = list(_by_place(video for video in videos if not video.stills and video.given).values())
    chosen = [groups[number] for number in spread(len(groups), VIDEOS)]
    return Doubt(tuple(group[0].name for group in chosen if _is_misplaced(group)), len(chosen))


def inverted_labels(videos: Iterable[LabelledVideo]) -> tuple[str, ...]:
    """Names of the videos, and sets of images, whose given masks look black on white.

    Args:
        videos: parts of one video count as one. Some are looked at if there are many.

    Raises:
        DataError: a file cannot be read any more.
    """
    groups = list(_by_place(video for video in videos if video.given).values())
    return tuple(
        group[0].name
        for group in (groups[number] for number in spread(len(groups), VIDEOS))
        if look_inverted(_some_labels(group))
    )


def _some_labels(parts: Sequence[LabelledVideo]) -> list[LabelArray]:
    given = [(video, frame) for video in parts for frame in video.given]
    chosen = [given[number] for number in spread(len(given), MASKS)]
    return [read_label(frame.mask, video.encoding).astype(np.uint16) for video, frame in chosen]


def _by_place(videos: Iterable[LabelledVideo]) -> dict[Path, list[LabelledVideo]]:
    places: dict[Path, list[LabelledVideo]] = {}
    for video in videos:
        places.setdefault(video.place.resolve(), []).append(video)
    return places


def _is_misplaced(parts: Sequence[LabelledVideo]) -> bool:
    given = [(video, frame) for video in parts for frame in video.given]
    samples = (_sample(*given[number]) for number in spread(len(given), MASKS))
    return judge_fit([sample for sample in samples if sample is not None]).misplaced


def _sample(video: LabelledVideo, frame: LabelledFrame) -> FitSample | None:
    contour = find_contour(read_label(frame.mask, video.encoding).astype(np.uint8))
    if contour is None:
        return None
    rgb = read_rgb(frame.image, frame.levels)
    return FitSample({0: edge_profile(rgb, contour)}, edges_elsewhere(rgb, contour))


NO_DOUBT = Doubt()
