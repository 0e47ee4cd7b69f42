"""Output folders of `pseudolabel` as training data: given masks, pseudo-labels and their confidence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from vsodtool.data.sources.faults import Faults
from vsodtool.data.sources.found import FoundVideo, frame_names
from vsodtool.data.sources.source_text import PseudoSource
from vsodtool.errors import DataError
from vsodtool.media.fingerprint import input_fingerprint
from vsodtool.media.output.edits import find_edits
from vsodtool.media.output.finished_run import read_finished_run
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.manifest import InputEntry
from vsodtool.media.output.tables.frames_csv import read_rows_by_video
from vsodtool.media.video.inputs import VideoInput, discover_videos
from vsodtool.ops.shots.shots import Shots
from vsodtool.types import FrameRecord, FrameStatus


def find_pseudo(source: PseudoSource, faults: Faults, told: list[str]) -> list[FoundVideo]:
    """The videos of an output folder, with their shots.

    Left out are skipped frames, and those of shots in which nothing was labelled: that their labels are empty
    says nothing.

    Args:
        source: the folder.
        faults: told of missing masks.
        told: gets a line with what is taken and what is left out.

    Raises:
        DataError: the run is unfinished, its frames are gone or changed, or they are of another video.
    """
    layout = OutputLayout(source.output)
    manifest = read_finished_run(layout, ("pseudolabel",))
    by_video = read_rows_by_video(layout.frames_csv)
    if not by_video:
        raise DataError(f"{source.output}: expected pseudo-labels, found an empty frames.csv", "check --data")
    given = _given_videos(source, by_video)
    edits = set(find_edits(layout))
    found, left_out, corrected, waiting = [], 0, 0, 0
    for name, records in by_video.items():
        video = given[name] if source.images else _recorded_video(source, name, manifest.inputs.get(name))
        names = frame_names(video)
        _check_same(source, name, records, names, video.path)
        shots = Shots(tuple(manifest.cuts.get(name, ())))
        used = [each for each in records if not (shots.cuts and _says_nothing(each))]
        collected = _collect(layout, video, names, used, faults, shots=shots)
        found.append(replace(collected, void=manifest.void))
        drawn = [each for each in records if layout.correction(name, each.frame).is_file()]
        edited = [each for each in records if layout.masks(name, each.frame) in edits and each not in drawn]
        left_out += len(records) - len(found[-1].masks)
        corrected += sum(each.status is FrameStatus.GIVEN for each in drawn)
        waiting += sum(each.status is FrameStatus.GENERATED for each in (*drawn, *edited))
    told += _kinds(source.text, found, left_out, corrected, waiting)
    return found


def _kinds(text: str, found: list[FoundVideo], left_out: int, corrected: int, waiting: int) -> Iterator[str]:
    generated = sum(len(video.confidence) for video in found)
    given = sum(len(video.masks) for video in found) - generated
    line = f"{text}: frames: {given - corrected} given, {corrected} corrected, {generated} generated"
    yield f"{line}; left out: {left_out} of shots without a mask, or skipped" if left_out else line
    if waiting:
        what = "1 correction is" if waiting == 1 else f"{waiting} corrections are"
        yield (
            f"{text}: {what} not taken yet: run pseudolabel with --update first, "
            "or their frames count as generated"
        )


def _given_videos(source: PseudoSource, records: dict[str, list[FrameRecord]]) -> dict[str, VideoInput]:
    """The videos named with IMAGES::OUT, by the names that they have in OUT."""
    if source.images is None:
        return {}
    videos = {video.name: video for video in discover_videos([str(source.images)])}
    if len(videos) == 1 and len(records) == 1:  # one folder of frames may have been renamed
        return {next(iter(records)): next(iter(videos.values()))}
    lacking = [name for name in records if name not in videos]
    if lacking:
        raise DataError(
            f"{source.text}: pseudo-labels of another video: expected frames of {', '.join(lacking[:3])}, "
            f"found {', '.join(list(videos)[:3])}",
            "give the frames from which the pseudo-labels were made",
        )
    return videos


def _recorded_video(source: PseudoSource, name: str, entry: InputEntry | None) -> VideoInput:
    override = f"give the frames yourself: IMAGES::{source.output}"
    if entry is None:
        raise DataError(
            f"{source.output}: its manifest does not say where the frames of {name} are", override
        )
    path = Path(entry.path)
    if not path.exists():
        raise DataError(
            f"{source.output}: expected the frames of {name} at {path}, found nothing there",
            f"run from the folder in which pseudolabel was run, or {override}",
        )
    (video,) = discover_videos([entry.path])
    video = VideoInput(name, video.path, video.kind, video.files)
    if input_fingerprint(video) != entry.fingerprint:
        raise DataError(
            f"{source.output}: the frames of {name} at {path} have changed since the pseudo-labels were made",
            f"run pseudolabel again; if only the files' times changed, {override}",
        )
    return video


def _check_same(
    source: PseudoSource, name: str, records: list[FrameRecord], names: list[str], place: Path
) -> None:
    known = {record.frame for record in records}
    if known != set(names):
        strange = sorted(known - set(names)) or sorted(set(names) - known)
        raise DataError(
            f"{source.output}: pseudo-labels of another video: expected the {len(records)} frames of {name}, "
            f"found {len(names)} at {place} ({strange[0]} is in only one of them)",
            "give the frames from which the pseudo-labels were made",
        )


def _collect(
    layout: OutputLayout,
    video: VideoInput,
    names: list[str],
    records: list[FrameRecord],
    faults: Faults,
    *,
    shots: Shots,
) -> FoundVideo:
    masks: dict[str, Path] = {}
    confidence: dict[str, float] = {}
    maps: dict[str, Path] = {}
    by_name = {record.frame: record for record in records if record.status is not FrameStatus.SKIPPED}
    for name in names:
        if name not in by_name:
            continue
        record = by_name[name]
        masks[name] = layout.masks(record.video, name)
        if not masks[name].is_file():
            faults.add("missing mask", masks[name])
        if record.status is FrameStatus.GENERATED:
            confidence[name] = record.confidence
            if (map_path := layout.confidence(record.video, name)).is_file():
                maps[name] = map_path
    return FoundVideo(video, names, masks, confidence, maps, shots=shots)


def _says_nothing(record: FrameRecord) -> bool:
    return record.status is FrameStatus.GENERATED and not record.left and not record.right
