"""Masks of a run and corrections of them, as people left them: those that do not go together are left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vsodtool.config.void import AUTO
from vsodtool.errors import DataError
from vsodtool.media.masks.encoding import MaskEncoding, detect_encoding
from vsodtool.media.masks.statistics import MaskSummary


@dataclass(frozen=True)
class Fitting:
    """What masks are that somebody may have saved in any way.

    Attributes:
        encoding: of those that go together.
        ids: the object ids that occur in these.
        misfits: why each of the others does not go with them, by its path.
    """

    encoding: MaskEncoding
    ids: tuple[int, ...]
    misfits: Mapping[Path, DataError]


def detect_with_corrections(
    own: Sequence[MaskSummary], corrections: Sequence[MaskSummary], void: str = AUTO
) -> Fitting:
    """As `detect_encoding`, of what a run wrote and of corrections, which may be stored in other ways.

    Palettes of corrections may have other colours than those of the run: ids are ids. Masks that do not go
    with the others, also such that somebody saved among those of the run, are left out, each by itself.

    Args:
        own: of the masks that the run wrote.
        corrections: of corrections of them.
        void: as in `detect_encoding`.

    Raises:
        DataError: as `detect_encoding`, of a single mask.
    """
    misfits: dict[Path, DataError] = {}
    written = _those_that_fit([], own, [], void, misfits)
    encoding, ids = detect_encoding(written, void)
    if encoding.kind == "palette" and encoding.holds_ids and not all(mask.empty for mask in written):
        corrections = [mask for mask in corrections if mask.container != "palette"]
    if corrections:
        fitting = _those_that_fit(written, corrections, written, void, misfits)
        encoding, ids = detect_encoding([*written, *fitting], void, written)
    return Fitting(encoding, ids, misfits)


def _those_that_fit(
    known: Sequence[MaskSummary],
    more: Sequence[MaskSummary],
    leading: Sequence[MaskSummary],
    void: str,
    misfits: dict[Path, DataError],
) -> list[MaskSummary]:
    """Of more masks those that go with the known ones, and with each other as most of them are stored."""
    try:
        detect_encoding([*known, *more], void, leading)
    except DataError:
        pass
    else:
        return list(more)
    stored = Counter(map(_way, more))
    by_kind = sorted(more, key=lambda each: (-stored[_way(each)], _way(each)))
    fitting: list[MaskSummary] = []
    step = len(by_kind)
    place = 0
    while place < len(by_kind):  # as many at once as go together: there may be thousands
        tried = by_kind[place : place + step]
        try:
            detect_encoding([*known, *fitting, *tried], void, leading)
        except DataError as error:
            if step > 1:
                step = -(-step // 2)
                continue
            if not known and not fitting:
                raise
            misfits[tried[0].path] = error
        else:
            fitting += tried
        place += len(tried)
        step = 2 * step
    kept = {each.path for each in fitting}
    return [each for each in more if each.path in kept]


def _way(mask: MaskSummary) -> str:
    return "transparent" if mask.transparent else mask.container
