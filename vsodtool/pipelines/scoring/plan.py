"""What `evaluate` is going to score: known from names, before anything is opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vsodtool.config import EvaluateConfig
from vsodtool.errors import DataError
from vsodtool.media.annotations.recognition import holds_annotations
from vsodtool.media.maps.pairing import PairedFrame, PairedVideo, Pairing, pair_maps
from vsodtool.media.maps.readings import settle
from vsodtool.media.maps.trees import MapTree, find_maps
from vsodtool.media.masks.matching import choose_every
from vsodtool.pipelines.running.reading import tell_unheard
from vsodtool.pipelines.scoring.annotated_truth import draw_truth
from vsodtool.types import Event, OnEvent


@dataclass(frozen=True)
class PlannedVideo:
    """One video.

    Attributes:
        paired: all frames that have a truth.
        scored: those that are scored, in order.
    """

    paired: PairedVideo
    scored: tuple[PairedFrame, ...]

    @property
    def name(self) -> str:
        """Name of the video."""
        return self.paired.name

    @property
    def truths(self) -> list[Path]:
        """Files of all truths."""
        return [frame.truth for frame in self.paired.frames]

    def predictions(self, method: int) -> list[Path]:
        """Files of all predictions of a method."""
        files = (frame.predictions[method] for frame in self.paired.frames)
        return [file for file in files if file is not None]


@dataclass(frozen=True)
class Plan:
    """What belongs together, and which of it is scored.

    Attributes:
        truth: the tree of the truth.
        methods: the trees of predictions.
        names: of the methods, all different.
        pairing: what was paired, and what was left over.
        videos: those that have frames to score.
        ends: frames left out as first or last of their video.
        given: other frames left out because their masks were given.
    """

    truth: MapTree
    methods: tuple[MapTree, ...]
    names: tuple[str, ...]
    pairing: Pairing
    videos: tuple[PlannedVideo, ...]
    ends: int
    given: int


def make_plan(config: EvaluateConfig, folder: Path, on_event: OnEvent) -> Plan:
    """Find the trees, pair them, and choose the frames.

    Args:
        config: what to do.
        folder: where a truth that is an annotation file is drawn.
        on_event: hears what is worth a line.

    Raises:
        DataError: trees are missing or do not belong together, or no frame is left.
    """
    choices = config.choices
    methods = tuple(find_maps(path, choices.prefers) for path in config.methods)
    names = name_methods(config.methods)
    if holds_annotations(config.truth):
        truth = draw_truth(config, methods, folder, on_event)
    else:
        truth, methods = settle(find_maps(config.truth, choices.prefers), methods)
        tell_unheard(config, on_event)
    for tree in (truth, *methods):
        for notice in tree.notices:
            on_event(Event("notice", message=notice))
    for path, tree in zip(config.methods, methods, strict=True):
        if tree.folder.samefile(truth.folder):
            raise DataError(
                f"{path}: expected predictions, found the ground truth itself", "give two different folders"
            )
    pairing = pair_maps(truth, methods, allow_missing=config.allow_missing, allow_extra=config.allow_extra)
    for kind, lines in (("notice", pairing.notices), ("warning", pairing.warnings)):
        for line in lines:
            on_event(Event(kind, message=line))
    videos: list[PlannedVideo] = []
    ends = given = 0
    for video in pairing.videos:
        scored, left_ends, left_given = _choose(video, config)
        ends, given = ends + left_ends, given + left_given
        if scored:
            videos.append(PlannedVideo(video, tuple(scored)))
        else:
            message = f"none of its {len(video.frames)} frames is left to score"
            on_event(Event("warning", video.name, message))
    if not videos:
        raise DataError(
            f"no frame is left to score: {ends} are the first or last of their video, {given} were given",
            "--keep-ends scores the first and last frames, too",
        )
    plan = Plan(truth, methods, names, pairing, tuple(videos), ends, given)
    _tell(plan, config, on_event)
    return plan


def name_methods(paths: Sequence[Path]) -> tuple[str, ...]:
    """A name for each folder: the last part of its path, and as many before it as make all names differ."""
    parts = [path.resolve().parts for path in paths]
    for depth in range(1, max(map(len, parts)) + 1):
        names = ["/".join(part[-depth:]) for part in parts]
        if len(set(names)) == len(names):
            return tuple(names)
    raise DataError(
        f"{paths[0]}: expected each folder of predictions once, found one twice", "name each once"
    )


def _choose(video: PairedVideo, config: EvaluateConfig) -> tuple[list[PairedFrame], int, int]:
    """The frames to score, and how many are left out as ends and as given."""
    count = len(video.frames)
    ends = {0, count - 1} if config.choices.ends == "drop" else set()
    given = set(choose_every(count, config.every)) if config.every else set()
    if config.skip_given:
        given |= {index for index, frame in enumerate(video.frames) if frame.name in video.given}
    scored = [frame for index, frame in enumerate(video.frames) if index not in ends | given]
    return scored, len(ends - given), len(given)


def _tell(plan: Plan, config: EvaluateConfig, on_event: OnEvent) -> None:
    frames = sum(len(video.scored) for video in plan.videos)
    parts = [f"{plan.ends} first or last of their video"] if plan.ends else []
    parts += [f"{plan.given} given"] if plan.given else []
    left_out = f"; left out: {', '.join(parts)}" if parts else ""
    many = f"{len(plan.videos)} videos" if len(plan.videos) > 1 else "1 video"
    on_event(Event("notice", message=f"{config.protocol}: {frames} frames of {many}{left_out}"))
    known = sum(len(video.paired.given) for video in plan.videos)
    if known and not plan.given:
        message = (
            f"{known} frames were given to the method, says its frames.csv, and count as predictions; "
            "--skip-given leaves them out"
        )
        on_event(Event("notice", message=message))
