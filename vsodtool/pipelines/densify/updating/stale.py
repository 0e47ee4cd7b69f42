"""Which labels of a finished run no longer follow from the masks: known from names and hashes alone."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from vsodtool.media.masks.sparse import MaskSet
from vsodtool.media.output.written import read_found_cuts, read_records
from vsodtool.ops.shots.shots import ONE_SHOT, Shots
from vsodtool.pipelines.densify.updating.basis import Basis
from vsodtool.pipelines.running.runs import Run
from vsodtool.pipelines.running.shots import Cuts
from vsodtool.types import Event, FrameRecord, FrameStatus


@dataclass(frozen=True)
class StaleInterval:
    """Frames between two neighbouring labels that are to be made again.

    Attributes:
        video: its name.
        left: name of the labelled frame before them, "" if there is none.
        right: name of the labelled frame after them, "" if there is none; the same as `left` for a changed
            mask beside which nothing else changes.
        frames: how many there are.
    """

    video: str
    left: str
    right: str
    frames: int


def find_stale(
    masks: MaskSet, names: Sequence[str], records: Mapping[str, FrameRecord], shots: Shots = ONE_SHOT
) -> list[StaleInterval]:
    """What an update would make again, in the order of the video.

    Args:
        masks: of the video, as they are now.
        names: of all its frames, in order.
        records: of its frames, by name, as the latest run left them.
        shots: of the video.
    """
    basis = Basis(masks, names, shots)
    stale = {name for name in names if name not in records or not basis.holds(records[name])}
    labelled = [index for index, name in enumerate(names) if name in masks.files]
    found: list[StaleInterval] = []
    beside: set[str] = set()
    unlabelled = [index for index, name in enumerate(names) if name not in masks.files]
    for (at, shot), group in groupby(unlabelled, lambda index: (bisect(labelled, index), shots.of(index))):
        between = [names[index] for index in group]
        if stale.isdisjoint(between):
            continue
        beside_it = [labelled[at - 1] if at else None, labelled[at] if at < len(labelled) else None]
        left, right = (
            "" if label is None or shots.of(label) != shot else names[label] for label in beside_it
        )
        beside |= {left, right}
        count = sum(name in stale or records[name].status is FrameStatus.GENERATED for name in between)
        found.append(StaleInterval(masks.video, left, right, count))
    alone = [name for name in masks.files if name in stale and name not in beside]
    found += [StaleInterval(masks.video, name, name, 1) for name in alone]
    place = {name: index for index, name in enumerate(names)}
    return sorted(found, key=lambda each: place.get(each.left or each.right, -1))


def find_stale_of_run(
    run: Run, masks: Mapping[str, MaskSet], cuts: Cuts
) -> Iterator[tuple[str, list[StaleInterval]]]:
    """What an update of a run would make again, by video, in the order of the videos; nothing is decoded."""
    for name, stale, _ in _find(run, masks, cuts):
        yield name, stale


def _find(
    run: Run, masks: Mapping[str, MaskSet], cuts: Cuts
) -> Iterator[tuple[str, list[StaleInterval], bool]]:
    """As `find_stale_of_run`, and whether nothing of the video was made yet."""
    records, found = read_records(run.layout), read_found_cuts(run.layout)
    for source in run.opened:
        name = source.video.name
        shots = cuts.known(name) or Shots(tuple(found.get(name, ())))
        stale = find_stale(masks[name], source.names, records.get(name, {}), shots)
        yield name, stale, not records.get(name)


def tell_stale(run: Run, masks: Mapping[str, MaskSet], cuts: Cuts) -> None:
    """How much an update of a run makes again, video by video."""
    for name, stale, new in _find(run, masks, cuts):
        if stale:
            count = sum(each.frames for each in stale)
            frames = "1 frame" if count == 1 else f"{count} frames"
            intervals = "1 interval" if len(stale) == 1 else f"{len(stale)} intervals"
            how = ", a new video" if new else " again"
            run.on_event(Event("notice", name, f"{name}: {frames} in {intervals} to make{how}"))


def describe_changes(masks: MaskSet, names: Sequence[str], records: Mapping[str, FrameRecord]) -> str:
    """The first few masks that are not those of the latest run, in words; "" if none is known to differ."""
    changes = list(_changes(masks, names, records))
    more = f" and {len(changes) - 3} more" if len(changes) > 3 else ""
    return ", ".join(changes[:3]) + more


def _changes(masks: MaskSet, names: Sequence[str], records: Mapping[str, FrameRecord]) -> Iterator[str]:
    basis = Basis(masks, names, ONE_SHOT)  # given labels are what they are in any shot
    for name in names:
        record = records.get(name)
        was_given = record is not None and record.status is FrameStatus.GIVEN
        if name not in masks.files:
            if was_given:
                yield f"{name} has none now"
        elif not was_given:
            yield f"{masks.files[name]} is new"
        elif record is not None and not basis.holds(record):
            yield f"{masks.files[name]} changed"
