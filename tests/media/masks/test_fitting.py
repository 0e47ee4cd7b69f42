"""Masks that do not go with the others are left out, each by itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.media.masks.mask_files import blobs, palette_png, png
from vsodtool.errors import DataError
from vsodtool.media.masks.fitting import Fitting, detect_with_corrections
from vsodtool.media.masks.reading import read_raw_mask
from vsodtool.media.masks.statistics import MaskSummary, summarise

ODD = np.dstack([blobs(17), blobs(23), blobs(0, 99)])  # colours of no palette


def written(folder: Path, *files: bytes) -> list[MaskSummary]:
    folder.mkdir()
    found = []
    for number, data in enumerate(files):
        path = folder / f"{number}.png"
        path.write_bytes(data)
        found.append(summarise(path, read_raw_mask(path)))
    return found


def fitting(tmp_path: Path, own: list[bytes], corrections: list[bytes]) -> tuple[Fitting, set[str]]:
    found = detect_with_corrections(
        written(tmp_path / "own", *own), written(tmp_path / "corrections", *corrections)
    )
    return found, {path.relative_to(tmp_path).as_posix() for path in found.misfits}


def test_a_correction_that_does_not_go_with_the_others_is_left_out(tmp_path: Path) -> None:
    own = [palette_png(blobs(1, 2))] * 5
    good = palette_png(blobs(1, 3))
    found, odd = fitting(tmp_path, own, [png(ODD), good, *[png(blobs())] * 20, png(blobs(3, 9)), good])
    assert (found.encoding.kind, found.ids) == ("palette", (1, 2))
    assert odd == {"corrections/0.png", "corrections/22.png"}
    assert "0.png: expected a palette mask" in found.misfits[tmp_path / "corrections/0.png"].message


def test_of_what_the_run_wrote_the_most_are_right(tmp_path: Path) -> None:
    own = [png(ODD), *[palette_png(blobs(1, 2))] * 2]
    found, odd = fitting(tmp_path, own, [])
    assert (found.encoding.kind, found.ids, odd) == ("palette", (1, 2), {"own/0.png"})


def test_corrections_of_one_object_may_be_stored_otherwise(tmp_path: Path) -> None:
    found, odd = fitting(
        tmp_path, [png(blobs(255))], [palette_png(blobs(1)), png(np.dstack([blobs(200), blobs(), blobs()]))]
    )
    assert (found.ids, odd) == ((1,), set())


def test_a_single_mask_that_cannot_be_told_is_refused(tmp_path: Path) -> None:
    jpeg = png(blobs(1, 2), ".jpg")
    with pytest.raises(DataError, match="cannot store ids"):
        fitting(tmp_path, [jpeg], [])
