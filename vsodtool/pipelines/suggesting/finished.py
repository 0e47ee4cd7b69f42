"""A finished OUT folder, as far as its frames' table tells about it: nothing is decoded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

import numpy as np

from vsodtool.media.output.finished_run import read_finished_run
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.manifest import Manifest
from vsodtool.media.output.tables.frames_csv import read_rows_by_video
from vsodtool.ops.suggesting.suggestion import KnownVideo
from vsodtool.types import FrameRecord, FrameStatus

Errors: TypeAlias = dict[int, dict[int, float]]  # hidden frame -> object -> 1 - J


@dataclass(frozen=True)
class FinishedVideo:
    """The rows of one video in frames.csv, one for each of its frames, in order.

    Attributes:
        name: of the video.
        rows: the records.
        found: its cuts, where the run found them; None where only the rows tell.
    """

    name: str
    rows: Sequence[FrameRecord]
    found: Sequence[int] | None = None

    @cached_property
    def labels(self) -> list[int]:
        """Indices of the given frames."""
        return [index for index, row in enumerate(self.rows) if row.status is FrameStatus.GIVEN]

    @cached_property
    def cuts(self) -> list[int]:
        """First frames of shots, if need be told by what was carried: no label crosses a cut."""
        if self.found is not None:
            return list(self.found)
        shown = [index for index, row in enumerate(self.rows) if row.status is not FrameStatus.SKIPPED]
        return [after for before, after in pairwise(shown) if self._is_cut(before, after)]

    def _is_cut(self, before: int, after: int) -> bool:
        """Whether neither of two neighbours knows of what is labelled on the other side."""
        left, right = self.rows[before], self.rows[after]
        if left.status is FrameStatus.GIVEN and right.status is FrameStatus.GIVEN:
            return False  # whether it is or not: nothing is to be filled
        if left.status is FrameStatus.GIVEN:
            return right.left == ""
        if right.status is FrameStatus.GIVEN:
            return left.right == ""
        return (left.left, left.right) != (right.left, right.right)

    def around(self, index: int) -> tuple[str, str]:
        """Names of the given frames before and after a frame, "" for none that it is made from."""
        before = [at for at in self.labels if at < index]
        after = [at for at in self.labels if at > index]
        row = self.rows[index]
        left = self.rows[before[-1]].frame if before and row.left else ""
        right = self.rows[after[0]].frame if after and row.right else ""
        return left, right

    def known(self, errors: Mapping[int, Mapping[int, float]]) -> KnownVideo:
        """What the rule is told.

        Args:
            errors: of hidden labels, see `KnownVideo`.
        """
        confidence = np.array([row.confidence for row in self.rows], float)
        lost = (index for index, row in enumerate(self.rows) if row.status is FrameStatus.SKIPPED)
        return KnownVideo(len(self.rows), self.labels, confidence, errors, frozenset(lost), self.cuts)

    def unknown(self) -> KnownVideo:
        """The same, as if nothing were known but where the labels are: all frames are as doubtful."""
        return replace(self.known({}), confidence=np.zeros(len(self.rows)))


@dataclass(frozen=True)
class Finished:
    """A finished run.

    Attributes:
        layout: its folder.
        manifest: what was run.
        videos: its videos, in the order of the table.
    """

    layout: OutputLayout
    manifest: Manifest
    videos: Sequence[FinishedVideo]


def read_finished(root: Path) -> Finished:
    """Read what a run of pseudolabel or predict left.

    Raises:
        UsageError: it is no OUT folder, or that of another command.
        DataError: the run is not finished, or a file of it is damaged.
    """
    layout = OutputLayout(root)
    manifest = read_finished_run(layout, ("pseudolabel", "predict"))
    rows = read_rows_by_video(layout.frames_csv)
    return Finished(
        layout, manifest, [FinishedVideo(name, own, manifest.cuts.get(name)) for name, own in rows.items()]
    )


def is_output(path: Path) -> bool:
    """Whether a path is an OUT folder, of whatever command."""
    return OutputLayout(path).manifest.is_file()
