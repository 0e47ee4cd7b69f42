"""Folders that hold maps and folders of maps: which of both is meant, the other side says; by names only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import IntEnum

from vsodtool.errors import DataError
from vsodtool.media.folders import MASK_SUFFIXES, folder_name, list_images
from vsodtool.media.maps.pairing import count_paired
from vsodtool.media.maps.trees import MapTree


class Fit(IntEnum):
    """How well predictions fit a truth."""

    NOT = 0
    PARTLY = 1
    WHOLLY = 2  # every truth has a prediction
    BY_NAME = 3  # and the folders of all videos are called alike


def settle(truth: MapTree, methods: Sequence[MapTree]) -> tuple[MapTree, tuple[MapTree, ...]]:
    """The trees as they are meant: what holds both maps and folders of maps read as the one or the other.

    The reading counts that fits better; folders whose names are those of the other side beat all else.

    Args:
        truth: as found.
        methods: the predictions, as found.

    Raises:
        DataError: both readings fit alike; or maps that lie directly in a folder, and fit, have one stem.
    """
    truths = _readings(truth, methods)
    worst = [
        min(max(fit(each, own) for own in _readings(method, [each])) for method in methods) for each in truths
    ]
    settled = _better(truth, truths, worst, methods[0])
    return settled, tuple(
        _better(method, own, [fit(settled, each) for each in own], settled)
        for method in methods
        for own in [_readings(method, [settled])]
    )


def fit(truth: MapTree, method: MapTree) -> Fit:
    """How well these predictions, read so, fit this truth."""
    paired, frames = count_paired(truth, method), sum(map(len, truth.videos.values()))
    if paired < frames:
        return Fit.PARTLY if paired else Fit.NOT
    named = not truth.flat and not method.flat and truth.videos.keys() <= method.videos.keys()
    return Fit.BY_NAME if named else Fit.WHOLLY


def _readings(tree: MapTree, others: Sequence[MapTree]) -> list[MapTree]:
    """The tree, and the maps that lie directly in its folder if there are any and the names leave doubt."""
    if not tree.loose or all(not each.loose and _alike(tree, each) for each in others):
        return [tree]
    files = tuple(list_images(tree.folder, MASK_SUFFIXES))
    notice = f"{tree.folder}: the maps directly in it are read, those of its folders are left out"
    name = folder_name(tree.folder) or "maps"
    return [tree, replace(tree, videos={name: files}, flat=True, loose=False, notices=(notice,))]


def _alike(tree: MapTree, other: MapTree) -> bool:
    return not other.flat and tree.videos.keys() == other.videos.keys()


def _better(tree: MapTree, readings: Sequence[MapTree], fits: Sequence[Fit], other: MapTree) -> MapTree:
    best = max(fits)
    fitting = [reading for reading, each in zip(readings, fits, strict=True) if each is best]
    if len(fitting) == 1 or best is Fit.NOT:  # then what is wrong is told of the folders
        return fitting[0]
    raise DataError(
        f"{tree.folder}: expected maps or folders of maps, found both, and both fit {other.folder}: "
        f"{len(fitting[1].videos[next(iter(fitting[1].videos))])} maps directly in it, and the folder "
        f"{next(iter(fitting[0].videos))}",
        f"name the folder that is meant ({fitting[0].place(next(iter(fitting[0].videos)))}), or move the "
        "others elsewhere",
    )
