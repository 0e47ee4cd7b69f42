"""The labels of an OUT folder, as annotations: which frames of it, and the names of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from vsodtool.config import ConvertConfig
from vsodtool.errors import DataError, UsageError
from vsodtool.media.annotations.model import (
    Annotations,
    Category,
    FrameKey,
    FrameLabels,
    Shape,
    VideoLabels,
)
from vsodtool.media.annotations.objects import ObjectInfo, unnamed
from vsodtool.media.annotations.runs import MaskArray
from vsodtool.media.folders import IMAGE_SUFFIXES, VIDEO_SUFFIXES, frame_name, same_name
from vsodtool.media.masks.encoding import MaskEncoding
from vsodtool.media.masks.fitting import detect_with_corrections
from vsodtool.media.masks.reading import read_raw_mask
from vsodtool.media.masks.statistics import MaskSummary, summarise
from vsodtool.media.output.finished_run import read_finished_run
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.manifest import Manifest
from vsodtool.media.output.object_names import read_object_names
from vsodtool.media.output.review_notes import parse_notes
from vsodtool.media.output.tables.frames_csv import read_rows_by_video
from vsodtool.media.regular_file import read_regular
from vsodtool.pipelines.running.earlier_inputs import start_folder
from vsodtool.types import Event, FrameRecord, FrameStatus, LabelArray, OnEvent, Size, ignore_event


def labels_of_output(
    config: ConvertConfig,
    pictures: str,
    only: Collection[str] | None,
    on_event: OnEvent = ignore_event,
) -> tuple[Annotations, dict[str, MaskEncoding]]:
    """The labels of an OUT folder, and how its masks of several objects are stored, by video.

    Args:
        config: which folder, videos and frames.
        pictures: as of `run_convert`.
        only: as of `run_convert`.
        on_event: hears of frames that are left out, as what somebody saved there cannot be used.

    Raises:
        UsageError: it is no such folder, or a list of frames names none.
        DataError: the run is not finished, a mask has gone, or there is no such video.
    """
    layout = OutputLayout(config.source)
    manifest = read_finished_run(layout, ("pseudolabel", "predict"))
    rows = read_rows_by_video(layout.frames_csv)
    if config.video and config.video not in rows:
        raise no_video(config, list(rows))
    chosen = [config.video] if config.video else list(rows)
    listed = _listed(Path(config.frames), rows) if only is None and _is_file(config.frames) else None
    named = read_object_names(layout)
    videos, infos, stored = [], [], {}
    for video in chosen:
        labels = _VideoOutput(layout, video, rows[video], named.get(video, {}), manifest.void)
        named_here = only if listed is None else listed[video]
        wanted = _wanted(config, layout, rows[video], named_here)
        names = _frame_files(config.source, manifest, video)
        if pictures:
            names = {row.frame: f"{row.frame}{pictures}" for row in rows[video]}
        for path, error in labels.unusable.items():
            if path.stem in wanted:
                text = f"{error.message}: left out; {error.hint}"
                on_event(Event("warning", video, text))
        videos.append(labels.read(names, wanted - {path.stem for path in labels.unusable}))
        infos += labels.infos
        if len(labels.infos) > 1:
            stored[video] = labels.encoding
    made = Annotations(str(config.source), manifest.command, tuple(videos), categories_of(infos))
    return made, stored


class _VideoOutput:
    """The masks of one video in an OUT folder.

    Attributes:
        encoding: how they are stored.
        infos: of the objects that occur, by id.
        unusable: why masks that somebody saved there cannot be used, by path.
    """

    def __init__(
        self,
        layout: OutputLayout,
        video: str,
        rows: Sequence[FrameRecord],
        named: dict[int, ObjectInfo],
        void: str,
    ) -> None:
        self._layout, self._video, self._rows = layout, video, rows
        made = [row for row in rows if row.status is not FrameStatus.SKIPPED]
        files = [layout.masks(video, row.frame) for row in made]
        lacking = next((file for file in files if not file.is_file()), None)
        if lacking is not None or not files:
            raise DataError(
                f"{lacking or layout.root}: expected a mask, found none",
                "predict writes masks with --masks; a mask that was deleted is made again by its command",
            )
        # Corrections may be stored otherwise, and hold objects that the run does not know yet.
        corrected = [file for row in made if (file := layout.correction(video, row.frame)).is_file()]
        summaries, unusable = _summaries(files, corrected)
        own, others = ([summaries[file] for file in each if file in summaries] for each in (files, corrected))
        fitting = detect_with_corrections(own, others, void)
        self.encoding, known = fitting.encoding, fitting.ids
        replaced = {layout.masks(video, file.stem) for file in corrected}
        self.unusable = {
            path: error for path, error in {**unusable, **fitting.misfits}.items() if path not in replaced
        }
        corrected = [file for file in corrected if file not in self.unusable]
        drawn = {number for file in corrected for number in np.unique(_read(file, self.encoding)).tolist()}
        ids = sorted({*known, *drawn} - {0})
        words = {number: unnamed(number, alone=len(ids) == 1) for number in ids}
        self.infos = [named.get(number) or ObjectInfo(number, word, word) for number, word in words.items()]

    def read(self, names: Mapping[str, str] | None, wanted: set[str]) -> VideoLabels:
        """The labels of the frames that are wanted.

        Args:
            names: frame -> file; None for a video file, whose frames have numbers.
            wanted: names of frames.
        """
        frames = []
        for number, row in enumerate(self._rows):
            if row.status is FrameStatus.SKIPPED or row.frame not in wanted:
                continue
            correction = self._layout.correction(self._video, row.frame)
            path = correction if correction.is_file() else self._layout.masks(self._video, row.frame)
            label = lru_cache(1)(lambda path=path: _read(path, self.encoding))
            score = row.confidence if row.status is FrameStatus.GENERATED else None
            present = set(np.unique(label()).tolist())
            shapes = [shape_of(label, info, str(path), score) for info in self.infos if info.id in present]
            size: Size = (label().shape[0], label().shape[1])
            label.cache_clear()
            key = FrameKey((names or {}).get(row.frame, f"{row.frame}.jpg"), number, size)
            frames.append(FrameLabels(key, tuple(shapes), empty=not shapes))
        return VideoLabels(self._video, tuple(frames), len(self._rows), names is None)


def _summaries(
    own: Sequence[Path], corrections: Sequence[Path]
) -> tuple[dict[Path, MaskSummary], dict[Path, DataError]]:
    """Of the masks that have the size that most have; and what is wrong with the others.

    Raises:
        DataError: one that the run wrote cannot be read: it is made again by its command.
    """
    found: dict[Path, tuple[Size, MaskSummary]] = {}
    wrong: dict[Path, DataError] = {}
    for path in (*own, *corrections):
        try:
            raw = read_raw_mask(path)
        except DataError as error:
            if path not in corrections:
                raise
            wrong[path] = error
        else:
            found[path] = raw.size, summarise(path, raw)
    usual = Counter(size for size, _ in found.values()).most_common(1)
    for path, (size, _) in found.items():
        if size != usual[0][0]:
            expected, got = (f"{width}x{height}" for height, width in (usual[0][0], size))
            text = f"{path}: expected a mask of {expected} like the others, found {got}"
            wrong[path] = DataError(text, "replace the file")
    return {path: summary for path, (_, summary) in found.items() if path not in wrong}, wrong


def _read(path: Path, encoding: MaskEncoding) -> LabelArray:
    return encoding.read_written(read_raw_mask(path))


def shape_of(label: Any, info: ObjectInfo, place: str, score: float | None = None) -> Shape:
    """An object of a frame, as a shape.

    Args:
        label: gives the ids of the frame, (H, W).
        info: of the object.
        place: where it stands, for messages.
        score: how sure it is; None where that is not known.
    """

    def draw(_: Size) -> MaskArray:
        drawn: MaskArray = label() == info.id
        return drawn

    return Shape(info.name, draw, place, track=str(info.id), score=score)


def categories_of(infos: Sequence[ObjectInfo]) -> tuple[Category, ...]:
    """A class for each name of an object."""
    return tuple({info.name: Category(info.name, info.color, str(info.id)) for info in infos}.values())


def _frame_files(output: Path, manifest: Manifest, video: str) -> dict[str, str] | None:
    """Frame name -> name of its file; None for a video file, whose frames have numbers."""
    if video not in manifest.inputs:
        return {}
    given = Path(manifest.inputs[video].path)
    path = next((each for each in (start_folder(output, manifest) / given, given) if each.exists()), given)
    if path.is_dir():
        pictures: list[Path] = []
        with suppress(OSError):  # it need not be there any more, nor readable
            pictures = [file for file in path.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES]
        return {frame_name(file): file.name for file in pictures if not file.name.startswith(".")}
    return None if path.is_file() or path.suffix.lower() in VIDEO_SUFFIXES else {}


def _is_file(which: str) -> bool:
    """Whether `--frames` names a file."""
    return which not in ("all", "given", "generated", "corrected") and not which.startswith("every:")


def _wanted(
    config: ConvertConfig, layout: OutputLayout, rows: Sequence[FrameRecord], named: Collection[str] | None
) -> set[str]:
    """The names of the frames of a video that were asked for; `named` are those of a list."""
    which = config.frames
    if named is not None:
        chosen = {row.frame for row in rows if row.frame in named}
    elif which in ("given", "generated"):
        chosen = {row.frame for row in rows if row.status == which}
    elif which == "corrected":
        chosen = {row.frame for row in rows if layout.correction(row.video, row.frame).is_file()}
    elif which.startswith("every:"):
        chosen = {row.frame for row in rows[:: int(which.removeprefix("every:"))]}
    else:
        chosen = {row.frame for row in rows}
    low, high = config.min_confidence, config.max_confidence
    kept = {
        row.frame
        for row in rows
        if (row.status is FrameStatus.GIVEN and (low, high) == (0.0, 1.0)) or low <= row.confidence <= high
    }
    return chosen & kept


def _listed(path: Path, rows: Mapping[str, Sequence[FrameRecord]]) -> dict[str, set[str]]:
    """By video the frames of a list, or those that are flagged in a file of the review page.

    Raises:
        UsageError: it cannot be read, or a line of the list names no frame.
        DataError: it is neither.
    """
    try:
        data = read_regular(path).removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise UsageError(
            f"--frames: expected all, given, generated, corrected, every:K or a file of frame names, found "
            f"'{path}'",
            "one frame name, or video/frame, on each line",
        ) from error
    found: dict[str, set[str]] = {video: set() for video in rows}
    if data.lstrip().startswith(b"{"):
        for video, notes in parse_notes(data, path).items():
            flags = {**notes.known, **notes.frames}
            found.get(video, set()).update(name for name, note in flags.items() if note.flag == "bad")
        return found
    known = {video: {row.frame for row in of_video} for video, of_video in rows.items()}
    # surrogateescape: file names that are not UTF-8 are the bytes that they are on the disk.
    for number, line in enumerate(data.decode("utf-8", "surrogateescape").splitlines(), 1):
        name = same_name(line.strip())
        meant = [
            (video, frame)
            for video, frames in known.items()
            for frame in (name, name.removeprefix(f"{video}/"))
            if frame in frames
        ]
        if name and not meant:
            video, frames = next((video, of_video) for video, of_video in rows.items() if of_video)
            raise UsageError(
                f"--frames: {path}, line {number}: expected a frame of {', '.join(list(rows)[:3])}, "
                f"found '{line.strip()[:60]}'",
                f"as {frames[0].frame} or {video}/{frames[0].frame}",
            )
        for video, frame in meant:
            found[video].add(frame)
    return found


def no_video(config: ConvertConfig, known: Sequence[str]) -> DataError:
    """What is raised where `--video` names none of the videos."""
    return DataError(
        f"{config.source}: expected the video '{config.video}', found "
        f"{', '.join(name or 'unnamed' for name in known[:5])}",
        "check the name given with --video",
    )
