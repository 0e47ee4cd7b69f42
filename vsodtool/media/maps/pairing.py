"""Which prediction belongs to which truth: by names only, nothing is opened."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vsodtool.errors import DataError
from vsodtool.media.folders import frame_name
from vsodtool.media.maps.trees import MapTree
from vsodtool.media.masks.numbers import uploaded_name

_NUMBER = re.compile(r"[0-9]+")


@dataclass(frozen=True)
class PairedFrame:
    """One frame with a truth.

    Attributes:
        name: stem of the truth.
        truth: its file.
        predictions: one file per method, None where a method has none.
    """

    name: str
    truth: Path
    predictions: tuple[Path | None, ...]


@dataclass(frozen=True)
class PairedVideo:
    """The frames of one video that have a truth, in natural order of their names.

    Attributes:
        name: of the video.
        frames: all of them, also those that a protocol leaves out.
        given: names of the frames that some method was given.
    """

    name: str
    frames: tuple[PairedFrame, ...]
    given: frozenset[str] = frozenset()


@dataclass
class Pairing:
    """What belongs together, and what is worth telling about it.

    Attributes:
        videos: those that the truth and every method have, in the order of the truth.
        missing_videos: videos of the truth that some method lacks.
        extra_videos: videos without truth.
        extra_frames: predictions without truth, per method.
        notices: lines for people.
        warnings: lines for people about what was allowed.
    """

    videos: list[PairedVideo] = field(default_factory=list)
    missing_videos: list[str] = field(default_factory=list)
    extra_videos: list[str] = field(default_factory=list)
    extra_frames: list[int] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def pair_maps(
    truth: MapTree, methods: Sequence[MapTree], *, allow_missing: bool = False, allow_extra: bool = False
) -> Pairing:
    """Pair the maps of several methods with one truth.

    Frames belong together if their stems agree; in a video where no stem agrees, if the last numbers in their
    stems do (`00012` and `frame_000012`).

    Args:
        truth: the tree of the truth.
        methods: the trees of predictions.
        allow_missing: frames without a prediction are kept with None, videos without any are left out.
        allow_extra: predictions without a truth are left out.

    Raises:
        DataError: no video in common; or a missing or extra prediction that is not allowed.
    """
    pairing = Pairing(extra_frames=[0] * len(methods))
    matched = [_match_videos(truth, method) for method in methods]
    for method, videos in zip(methods, matched, strict=True):
        _check_videos(truth, method, videos, pairing, allow_missing=allow_missing, allow_extra=allow_extra)
    for name, files in truth.videos.items():
        if name in pairing.missing_videos:
            continue
        columns: list[dict[str, Path]] = []
        given: set[str] = set()
        for index, (method, videos) in enumerate(zip(methods, matched, strict=True)):
            video = _Video(name, truth, method, videos[name])
            columns.append(video.predictions(pairing))
            video.check(pairing, allow_missing=allow_missing, allow_extra=allow_extra)
            pairing.extra_frames[index] += len(video.extra)
            given |= video.given()
        frames = tuple(
            PairedFrame(frame_name(file), file, tuple(column.get(frame_name(file)) for column in columns))
            for file in files
        )
        pairing.videos.append(PairedVideo(name, frames, frozenset(given)))
    return pairing


def count_paired(truth: MapTree, method: MapTree) -> int:
    """How many frames of the truth have a prediction."""
    matched = _match_videos(truth, method)
    return sum(len(_Video(name, truth, method, own).predictions(Pairing())) for name, own in matched.items())


def _match_videos(truth: MapTree, method: MapTree) -> Mapping[str, str]:
    """Video of the truth -> video of the method. A flat folder has one video, whatever its name."""
    if len(truth.videos) == 1 and len(method.videos) == 1 and (truth.flat or method.flat):
        return {next(iter(truth.videos)): next(iter(method.videos))}
    return {name: name for name in truth.videos if name in method.videos}


def _check_videos(
    truth: MapTree,
    method: MapTree,
    matched: Mapping[str, str],
    pairing: Pairing,
    *,
    allow_missing: bool,
    allow_extra: bool,
) -> None:
    if not matched:
        raise DataError(
            f"{method.folder} and {truth.folder} have no video in common: "
            f"expected {_describe(truth)}, found {_describe(method)}",
            "give two folders whose sub-folders are called alike, or the folders of one video",
        )
    missing = [name for name in truth.videos if name not in matched]
    extra = [name for name in method.videos if name not in matched.values()]
    if missing and not allow_missing:
        raise DataError(
            f"{method.folder}: expected predictions for all {len(truth.videos)} videos of {truth.folder}, "
            f"found none for {_listing(missing)}",
            "--allow-missing scores only the videos that both have",
        )
    if extra and not allow_extra:
        raise DataError(
            f"{method.folder}: expected only videos of {truth.folder}, found also {_listing(extra)}",
            "--allow-extra ignores them",
        )
    for names, total, what in (
        (missing, pairing.missing_videos, "without predictions left out"),
        (extra, pairing.extra_videos, "without truth ignored"),
    ):
        if names:
            count = f"{len(names)} video{'s' if len(names) > 1 else ''}"
            pairing.warnings.append(f"{method.root}: {count} {what}: {_listing(names)}")
        total += [name for name in names if name not in total]


class _Video:
    """One video of one method beside its truth."""

    def __init__(self, name: str, truth: MapTree, method: MapTree, own_name: str) -> None:
        self._name = name
        self._place = truth.place(name)
        self._truth = truth.videos[name]
        self._method = method
        self._own_name = own_name
        self._files = method.videos[own_name]
        self._matched: dict[str, Path] = {}
        self.missing: list[str] = []
        self.extra: list[Path] = []

    def predictions(self, pairing: Pairing) -> dict[str, Path]:
        """Stem of the truth -> prediction."""
        stems = {frame_name(file) for file in self._truth}
        self._matched = {frame_name(file): file for file in self._files if frame_name(file) in stems}
        if not self._matched:
            self._matched = self._by_number()
            if self._matched:
                stem, file = next(iter(self._matched.items()))
                pairing.notices.append(f"{self._name}: paired by number: {file.name} belongs to {stem}")
        self.missing = [frame_name(file) for file in self._truth if frame_name(file) not in self._matched]
        used = set(self._matched.values())
        self.extra = [file for file in self._files if file not in used]
        return self._matched

    def check(self, pairing: Pairing, *, allow_missing: bool, allow_extra: bool) -> None:
        """Refuse what is missing or too much, or warn of it."""
        where, truth = self._files[0].parent, self._place
        shift = self._shift()
        if shift and (self.missing or self.extra):
            message = (
                f"{where}: predictions are numbered from {_number(self._files[0])}, "
                f"the truth in {truth} from {_number(self._truth[0])}"
            )
            if not (allow_missing and allow_extra):
                raise DataError(
                    f"{message}: {frame_name(self._truth[0])} has no prediction",
                    f"rename the predictions: subtract {shift} from each number"
                    if shift > 0
                    else f"rename the predictions: add {-shift} to each number",
                )
            pairing.warnings.append(message)
        if self.missing and not allow_missing:
            raise DataError(
                f"{where}: expected a prediction for each of the {len(self._truth)} frames in {truth}, "
                f"found none for {_listing(self.missing)}",
                "--allow-missing counts them with the worst score",
            )
        if self.extra and not allow_extra:
            raise DataError(
                f"{where}: expected only the {len(self._truth)} frames that have a truth in {truth}, "
                f"found also {_listing([frame_name(file) for file in self.extra])}",
                "--allow-extra ignores them",
            )
        for count, what in (
            (len(self.missing), "without a prediction counted with the worst score"),
            (len(self.extra), "without a truth ignored"),
        ):
            if count:
                pairing.warnings.append(f"{where}: {count} frame{'s' if count > 1 else ''} {what}")

    def given(self) -> set[str]:
        """Names (of the truth) of the frames that the method was given."""
        own = self._method.given.get(self._own_name, frozenset())
        return {stem for stem, file in self._matched.items() if frame_name(file) in own}

    def _by_number(self) -> dict[str, Path]:
        numbers = [_number(file) for file in self._truth]
        own = {_number(file): file for file in self._files}
        if None in numbers or None in own or len(set(numbers)) < len(numbers) or len(own) < len(self._files):
            return {}
        return {
            frame_name(file): own[number]
            for file, number in zip(self._truth, numbers, strict=True)
            if number in own
        }

    def _shift(self) -> int:
        """By how much all predictions are numbered higher than the truth; 0 if that is not what is wrong."""
        truth, own = [_number(file) for file in self._truth], [_number(file) for file in self._files]
        if len(truth) != len(own):
            return 0
        shifts = {a - b for a, b in zip(own, truth, strict=True) if a is not None and b is not None}
        return shifts.pop() if len(shifts) == 1 else 0


def _number(file: Path) -> int | None:
    digits = _NUMBER.findall(uploaded_name(frame_name(file)))
    return int(digits[-1]) if digits else None


def _describe(tree: MapTree) -> str:
    count = len(next(iter(tree.videos.values())))
    return f"one folder of {count} maps" if tree.flat else _listing(list(tree.videos))


def _listing(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown
