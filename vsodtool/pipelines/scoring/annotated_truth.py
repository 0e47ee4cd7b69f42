"""Truth from an annotation file: drawn as label images that are named like the predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from vsodtool.checks import whole_number
from vsodtool.config import EvaluateConfig
from vsodtool.errors import DataError
from vsodtool.media.annotations.label_images import (
    describe_overlaps,
    label_png,
    read_labels,
)
from vsodtool.media.annotations.shapes import wrong_size
from vsodtool.media.atomic import write_bytes_atomically
from vsodtool.media.folders import frame_name
from vsodtool.media.images import read_image_size
from vsodtool.media.maps.trees import MapTree
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.object_names import read_object_names
from vsodtool.media.output.tables.frames_csv import read_frames_csv
from vsodtool.pipelines.running.reading import reading_of
from vsodtool.types import Event, OnEvent

_MOST = 1000  # numbers for each map that is there; beyond, names are no numbers of frames


@dataclass(frozen=True)
class _Target:
    """A video as its predictions show it: annotations are matched to it, their sizes frame by frame."""

    name: str
    names: tuple[str, ...]
    files: Mapping[str, Path]
    size: None = None

    @property
    def is_file(self) -> bool:
        """Whether frames are called by their place, as those of video files are."""
        return all(whole_number(name) == n for n, name in enumerate(self.names))


def draw_truth(
    config: EvaluateConfig, methods: Sequence[MapTree], folder: Path, on_event: OnEvent
) -> MapTree:
    """Draw the truth that an annotation file holds.

    Objects have the ids that OUT/objects.json gives to their names, if a method has such a file.

    Args:
        config: what to do; `config.truth` is the annotation file.
        methods: the trees of predictions.
        folder: where to draw.
        on_event: hears how entries were matched.

    Raises:
        DataError: the annotations are wrong, or do not fit the predictions.
        DeviceError: the disk is full.
    """
    how = config.objects.replace("multi", "auto")
    choices = config.choices
    if choices.objects == "single":  # of no interest which object is which, so nothing is refused for it
        how = "single"
    targets = _targets(methods)
    labelled = read_labels(config.truth, list(targets.values()), reading_of(config, how), every=False)
    if labelled.ignored and not config.allow_missing:
        lacking = ", ".join(repr(name) for name in islice(labelled.ignored, 3))
        raise DataError(
            f"{config.truth}: expected labels of the videos that have predictions "
            f"({', '.join(map(repr, islice(targets, 3)))}), found also {lacking}",
            "--allow-missing scores only the videos that both have",
        )
    for line in labelled.describe():
        on_event(Event("notice", message=line))
    videos: dict[str, tuple[Path, ...]] = {}
    overlaps: dict[str, list[int]] = {}
    for video, matched in labelled.videos.items():
        objects = labelled.objects[video].renumbered(_ids(methods, video) if how != "single" else {})
        drawn = []
        for name, frame in matched.frames.items():
            prediction = targets[video].files.get(name)
            own = read_image_size(prediction or next(iter(targets[video].files.values())))
            size = frame.key.size or own
            if size != own and not config.allow_resize:
                raise wrong_size(f"{config.truth}: {frame.key}", size, own)
            data, covered = label_png(objects, frame, size)
            drawn.append(folder / video / f"{name}.png")
            write_bytes_atomically(drawn[-1], data)
            overlaps.setdefault(video, []).append(covered)
        videos[video] = tuple(drawn)
    for line in describe_overlaps(overlaps):
        on_event(Event("notice", message=line))
    flat = len(videos) == 1 and any(tree.flat for tree in methods)
    return MapTree(config.truth, config.truth, videos, flat=flat, drawn=True)


def _targets(methods: Sequence[MapTree]) -> dict[str, _Target]:
    """The videos of all methods; those of a single video each are one video, whatever it is called."""
    named = [tree for tree in methods if not tree.flat] or list(methods)
    one = next(iter(named[0].videos)) if all(len(tree.videos) == 1 for tree in methods) else ""
    found: dict[str, _Target] = {}
    for tree in methods:
        for video, files in tree.videos.items():
            name = one or video
            target = _Target(name, _frame_names(tree, video), {frame_name(file): file for file in files})
            if name not in found or len(found[name].names) < len(target.names):
                found[name] = target
    return found


def _frame_names(tree: MapTree, video: str) -> tuple[str, ...]:
    """The frames of a video: all that its run knows; of a folder of maps all up to the last one's number."""
    records = OutputLayout(tree.root).frames_csv
    if records.is_file():
        known = tuple(record.frame for record in read_frames_csv(records) if record.video == video)
        if known:
            return known
    names = tuple(map(frame_name, tree.videos[video]))
    width = len(names[0])
    last = whole_number(names[-1])
    if last is None or not all(whole_number(name) is not None and len(name) == width for name in names):
        return names
    return tuple(f"{n:0{width}d}" for n in range(last + 1)) if last < _MOST * len(names) else names


def _ids(methods: Sequence[MapTree], video: str) -> dict[str, int]:
    """Name of an object -> its id in the predictions, as the first method says that knows names."""
    for tree in methods:
        known = read_object_names(OutputLayout(tree.root))
        infos = known.get(video if video in known else next(iter(known), ""), {})
        if infos:
            return {info.name: number for number, info in infos.items()}
    return {}
