"""What every line of the table of formats keeps to."""

from __future__ import annotations

import pytest

from vsodtool.media.annotations.table import FORMATS, Format


def test_a_name_is_that_of_one_format() -> None:
    assert len({entry.name for entry in FORMATS}) == len(FORMATS)


@pytest.mark.parametrize("entry", FORMATS, ids=lambda entry: entry.name)
def test_what_is_read_is_detected_and_what_is_written_says_how_it_is_imported(entry: Format) -> None:
    written = [entry.write or entry.write_polygons, entry.write_files]
    assert entry.read or any(written)
    assert not all(written), "one file or many"
    assert bool(entry.import_hint) == any(written)
