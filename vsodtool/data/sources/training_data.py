"""Sources as given -> videos for training and for validation, everything validated before training starts."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from vsodtool.data.sources.faults import Faults
from vsodtool.data.sources.find_annotated import find_annotated
from vsodtool.data.sources.find_dataset import find_dataset_videos
from vsodtool.data.sources.find_pairs import find_pairs
from vsodtool.data.sources.find_pseudo import find_pseudo
from vsodtool.data.sources.found import FoundVideo, require_labels
from vsodtool.data.sources.inspect_files import inspect_videos
from vsodtool.data.sources.labelled import LabelledVideo
from vsodtool.data.sources.source_text import (
    SOURCE_HELP,
    AnnotatedSource,
    DatasetSource,
    PairSource,
    PseudoSource,
    parse_source,
)
from vsodtool.data.sources.thinning import ALL, thin_labels
from vsodtool.data.sources.validation_split import GAP, Scope, check_disjoint, distance, split_videos
from vsodtool.errors import ConfigError, DataError
from vsodtool.media.annotations.label_images import Reading
from vsodtool.media.fingerprint import file_sha256


@dataclass(frozen=True, kw_only=True)
class DataSpec:
    """What to train and validate on.

    Attributes:
        data: sources, at least one; see docs/training.md.
        validation: sources of their own; none to set some of `data` aside.
        validation_share: how much of `data` is set aside, in (0, 1).
        label_every: the paper's l, for training only.
        pseudo_between: the paper's m, for training only; -1 for all.
        seed: of what is set aside.
        stretches: set parts of videos aside where they are few.
        reading: how annotation files are read.
    """

    data: tuple[str, ...]
    validation: tuple[str, ...] = ()
    validation_share: float = 0.1
    label_every: int = 1
    pseudo_between: int = ALL
    seed: int = 0
    stretches: bool = False
    reading: Reading = field(default_factory=Reading)

    def __post_init__(self) -> None:
        """Refuse values out of range.

        Raises:
            ConfigError: naming what was expected and found.
        """
        if not self.data:
            raise ConfigError("no training data given", f"name some with --data: {SOURCE_HELP}")
        if not 0 < self.validation_share < 1:
            raise ConfigError(
                f"validation_share: expected a number between 0 and 1, found {self.validation_share}"
            )


@dataclass(frozen=True)
class TrainingData:
    """Validated data.

    Attributes:
        train: videos and sets of still images, thinned.
        validation: the same; shares no frame with `train`. Pseudo-labels in it only make clips whole.
        scope: what scores on it speak for.
        notices: lines for the user: what each source holds, what was left out, what was set aside.
        fingerprint: changes when a file or the split does.
    """

    train: tuple[LabelledVideo, ...]
    validation: tuple[LabelledVideo, ...]
    scope: Scope
    notices: tuple[str, ...]
    fingerprint: str


def load_training_data(spec: DataSpec, *, cache: Path) -> TrainingData:
    """Find, validate, split and thin the data.

    Args:
        spec: what to train on.
        cache: folder that receives the labelled frames of video files, as pictures.

    Raises:
        ConfigError: a source is malformed, or names an unknown dataset.
        DataError: anything is missing or does not belong; everything that is wrong is counted, and the first
            three of each kind are named.
        DeviceError: `cache` cannot be written.
    """
    faults = Faults()
    told: list[str] = []
    sources = [_load(text, spec.reading, cache, faults, told) for text in spec.data]
    others = [_load(text, spec.reading, cache, faults, told) for text in spec.validation]
    faults.raise_any("add what is missing, or remove what does not belong")
    named = tell_apart([*sources, *others])
    sources, others = named[: len(sources)], named[len(sources) :]
    notices = [
        *told,
        *(_describe(text, videos) for text, videos in zip(spec.data, sources, strict=True)),
        *(f"validation: {_describe(*pair)}" for pair in zip(spec.validation, others, strict=True)),
    ]
    train = [video for videos in sources for video in videos]
    if spec.validation:
        validation = [video for videos in others for video in videos if video.given]
        check_disjoint(train, validation)
    else:
        train, validation = split_videos(train, spec.validation_share, spec.seed, stretches=spec.stretches)
        notices.append(describe_split(train, validation))
    if not validation:
        raise DataError("no validation data: no mask in it was drawn by a person", "give other --validation")
    thinned = [thin_labels(video, spec.label_every, spec.pseudo_between) for video in train]
    if spec.label_every > 1 or spec.pseudo_between != ALL:
        notices.append(_describe("training uses", thinned))
    scope = Scope.of(train, validation)
    notices.append(f"validation speaks for {scope}")
    return TrainingData(
        tuple(thinned), tuple(validation), scope, tuple(notices), _fingerprint(cache, thinned, validation)
    )


def _load(text: str, reading: Reading, cache: Path, faults: Faults, told: list[str]) -> list[LabelledVideo]:
    source = parse_source(text)
    own = Faults()
    if isinstance(source, AnnotatedSource):
        found, lines = find_annotated(source, reading, cache, own)
        told += lines
    else:
        found = _find(source, own, told)
    if not own:
        require_labels(found, text)
    videos = inspect_videos(found, text, cache, own)
    faults.extend(own)
    return videos


def _find(
    source: PairSource | PseudoSource | DatasetSource, faults: Faults, told: list[str]
) -> list[FoundVideo]:
    if isinstance(source, DatasetSource):
        return find_dataset_videos(source, faults)
    if isinstance(source, PairSource):
        return find_pairs(source, faults, lambda event: told.append(event.message))
    return find_pseudo(source, faults, told)


def _describe(text: str, videos: Sequence[LabelledVideo]) -> str:
    moving = [video for video in videos if not video.stills]
    given = sum(len(video.given) for video in moving)
    pseudo = sum(len(video.frames) for video in moving) - given
    images = sum(len(video.frames) for video in videos if video.stills)
    parts = []
    if moving:
        parts.append(f"{_number(len(moving), 'video')} with {_number(given, 'given mask')}")
        if pseudo:
            parts.append(_number(pseudo, "pseudo-label"))
    if images:
        parts.append(_number(images, "still image"))
    return f"{text}: {', '.join(parts)}"


def describe_split(train: Sequence[LabelledVideo], validation: Sequence[LabelledVideo]) -> str:
    """A line on what was set aside; of parts of videos also which frames, and how near training comes."""
    moving = [(video, distance(video, train)) for video in validation if not video.stills]
    parts = [video.name if away == math.inf else _part_of(video, away) for video, away in moving]
    images = sum(len(video.frames) for video in validation if video.stills)
    named = ", ".join(dict.fromkeys(parts))
    return "set aside for validation: " + " and ".join(
        [*([named] if named else []), *([_number(images, "still image")] if images else [])]
    )


def _part_of(video: LabelledVideo, away: float) -> str:
    first, *rest = (frame.name for frame in video.given)
    frames = f"{video.name} {first} to {rest[-1]}" if rest else f"{video.name} {first}"
    near = f" ({_number(int(away), 'frame')} from the next that is trained on)" if away < GAP else ""
    return f"{frames}{near}"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _fingerprint(cache: Path, *groups: Sequence[LabelledVideo]) -> str:
    """Changes when a file does; what was made of the data is known by its content, wherever it lies."""

    def state(file: Path) -> tuple[object, ...]:
        if file.is_relative_to(cache):
            return file.relative_to(cache).as_posix(), file_sha256(file)
        found = file.stat()
        return str(file), found.st_size, found.st_mtime_ns

    digest = hashlib.sha256()
    for number, videos in enumerate(groups):
        for video in videos:
            for frame in video.frames:
                files = [frame.image, frame.mask, *([frame.confidence_map] if frame.confidence_map else [])]
                states = [state(file) for file in files]
                line = (number, video.name, frame.name, frame.given, frame.confidence, states)
                digest.update(f"{line}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def tell_apart(groups: Sequence[Sequence[LabelledVideo]]) -> list[list[LabelledVideo]]:
    """The same videos, with another name where two with different frames are called alike.

    The name is then the end of the path of the frames ("sod/images"), as much of it as it takes.
    Videos with the same frames keep one name.
    """
    names: dict[Path, str] = {}
    for video in (video for group in groups for video in group):
        names.setdefault(video.place.resolve(), video.name)
    depth = 0
    while doubles := [name for name, count in Counter(names.values()).items() if count > 1]:
        depth += 1
        for place, name in list(names.items()):
            if name in doubles:
                names[place] = "/".join(place.parts[-1 - depth :])
    return [[replace(video, name=names[video.place.resolve()]) for video in group] for group in groups]
