"""Whether the masks given belong to the frames that they are said to belong to; looked at before any work."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from torch import Tensor

from vsodtool.checks import resolve_workers
from vsodtool.config import PseudoLabelConfig
from vsodtool.errors import DataError
from vsodtool.media.masks.sparse import MaskSet
from vsodtool.media.video.frames import FrameSource
from vsodtool.ops.contour_fit import (
    SHIFTS,
    Fit,
    FitSample,
    edge_profile,
    edges_elsewhere,
    find_contour,
    judge_fit,
)
from vsodtool.ops.inverted import INVERTED, look_inverted
from vsodtool.pipelines.running.process import torch_threads
from vsodtool.types import Event, Frame, LabelArray, OnEvent

MOST = 6  # masks that are looked at
WITHIN = 100  # frames that are decoded for it, or a quarter of the video if that is more
LEAST = 3  # masks that are looked at wherever they are


def check_fits(
    sources: Sequence[FrameSource],
    masks: Mapping[str, MaskSet],
    config: PseudoLabelConfig,
    on_event: OnEvent,
    known: Mapping[str, list[str]],
) -> dict[str, list[str]]:
    """Look at the masks of videos that a run is to begin with, and tell what is doubtful.

    Args:
        sources: the videos; of an update those that are new, as it goes on with what was looked at before.
        masks: by video.
        config: of the run.
        on_event: hears the warnings.
        known: video -> what was told of the same frames and masks before; they are not looked at again.

    Returns:
        Video -> what there is to warn of.

    Raises:
        DataError: masks fit other frames better, and that is not allowed.
    """

    def check(source: FrameSource) -> Fit:
        return check_fit(source, masks[source.video.name])

    new = [source for source in sources if source.video.name not in known]
    with torch_threads(1), ThreadPoolExecutor(resolve_workers(config.workers), "fit") as pool:
        fits = dict(zip((source.video.name for source in new), pool.map(check, new), strict=True))
    doubts = {}
    for source in sources:
        name = source.video.name
        doubts[name] = judge_video(masks[name], fits[name], config) if name in fits else known[name]
        for line in doubts[name]:
            on_event(Event("warning", name, line))
    return doubts


def check_fit(source: FrameSource, masks: MaskSet) -> Fit:
    """Read a few masks and the frames around them, in one pass.

    Raises:
        DataError: nothing decodes, or a mask cannot be read any more.
    """
    index_of = {name: index for index, name in enumerate(source.names)}
    labelled = [index_of[name] for name in masks.names]

    def read(index: int) -> LabelArray:
        return masks.read(source.names[index])

    return measure_fit(source.select, choose_masks(labelled, len(source.names)), read)


def judge_video(masks: MaskSet, fit: Fit, config: PseudoLabelConfig) -> list[str]:
    """What there is to warn of.

    Args:
        masks: of the video.
        fit: of these.
        config: whether masks that fit other frames better are allowed.

    Raises:
        DataError: they fit others better, and that is not allowed.
    """
    told = []
    if fit.inverted:
        told.append(INVERTED)
    if fit.misplaced:
        told.append("its masks fit its frames no better than other places of them: are they of this video?")
    return told if fit.misplaced or not fit.shift else [*told, _judge_shift(masks, fit, config)]


def _judge_shift(masks: MaskSet, fit: Fit, config: PseudoLabelConfig) -> str:
    """What to warn of masks that fit other frames better; refuses them unless that is allowed."""
    count = abs(fit.shift)
    more = " or more" if count == max(SHIFTS) else ""
    frames = f"1 frame{more}" if count == 1 else f"{count} frames{more}"
    told = f"its masks fit {frames} {'later' if fit.shift > 0 else 'earlier'} clearly better"
    if config.allow_misfit:
        return told
    right = config.frame_offset + fit.shift
    say = f"say --frame-offset {right}" if right else "leave out --frame-offset"
    if right == -1:
        say += " (ffmpeg numbers stills from 1, vsodtool frames from 0)"
    name, file = next(iter(masks.files.items()))
    raise DataError(
        f"{masks.video}: expected masks that fit their frames, found that {told} "
        f"({file.name} is frame {name})",
        f"{say}, or --allow-misfit to go on as it is",
    )


def choose_masks(labelled: Sequence[int], frames: int) -> list[int]:
    """A few labelled frames, spread over the part of a video that is decoded to look at them.

    Args:
        labelled: indices, ascending.
        frames: number of frames of the video.
    """
    limit = max(WITHIN, frames // 4)
    near = [index for place, index in enumerate(labelled) if index < limit or place < LEAST]
    if len(near) <= MOST:
        return near
    return [near[round(place * (len(near) - 1) / (MOST - 1))] for place in range(MOST)]


def measure_fit(
    select: Callable[[Collection[int]], Iterator[Frame]],
    chosen: Sequence[int],
    read: Callable[[int], LabelArray],
) -> Fit:
    """The fit of some masks.

    Args:
        select: gives frames of these indices in order, see `FrameSource.select`.
        chosen: indices of the labelled frames to look at.
        read: object ids (H, W) of the mask of one of these.

    Raises:
        DataError: nothing decodes, or a mask cannot be read any more.
    """
    labels = {index: read(index) for index in chosen}
    inverted = look_inverted(list(labels.values()))
    contours = {index: contour for index in chosen if (contour := find_contour(labels[index])) is not None}
    del labels
    if not contours:
        return Fit(inverted=inverted)
    profiles: dict[int, dict[int, Tensor]] = {index: {} for index in contours}
    elsewhere: dict[int, Tensor] = {}
    for frame in select({index + shift for index in contours for shift in SHIFTS}):
        for shift in SHIFTS:
            contour = contours.get(frame.index - shift)
            if contour is not None:
                profiles[frame.index - shift][shift] = edge_profile(frame.rgb, contour)
        if frame.index in contours:
            elsewhere[frame.index] = edges_elsewhere(frame.rgb, contours[frame.index])
    fit = judge_fit([FitSample(profiles[index], places) for index, places in elsewhere.items()])
    return replace(fit, inverted=inverted)
