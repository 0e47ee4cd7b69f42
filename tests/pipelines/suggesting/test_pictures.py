"""Pictures to draw on: where they lie, and that nothing of somebody else's is replaced."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vsodtool.errors import UsageError
from vsodtool.media.images import read_rgb
from vsodtool.pipelines.suggesting.pictures import pictures_folder, refuse_existing, write_picture
from vsodtool.types import Frame

FRAME = Frame(3, "00003", np.arange(60, dtype=np.uint8).reshape(4, 5, 3))


def test_a_picture_is_exact_and_written_once(tmp_path: Path) -> None:
    write_picture(tmp_path, "clip", FRAME, overwrite=False)
    path = pictures_folder(tmp_path, "clip") / "00003.png"
    assert path == tmp_path / "images" / "clip" / "00003.png"
    np.testing.assert_array_equal(read_rgb(path), FRAME.rgb)
    before = path.stat().st_mtime_ns
    write_picture(tmp_path, "clip", FRAME, overwrite=False)
    assert path.stat().st_mtime_ns == before
    path.write_bytes(b"mine")
    with pytest.raises(UsageError, match="exists and is another picture"):
        write_picture(tmp_path, "clip", FRAME, overwrite=False)
    assert path.read_bytes() == b"mine"
    write_picture(tmp_path, "clip", FRAME, overwrite=True)
    np.testing.assert_array_equal(read_rgb(path), FRAME.rgb)


def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a file or folder"):
        pictures_folder(tmp_path, "../elsewhere")


def test_drafts_that_exist_are_refused(tmp_path: Path) -> None:
    refuse_existing([tmp_path / "a.json"])
    (tmp_path / "b.json").write_text("")
    with pytest.raises(UsageError, match=r"b\.json exists, perhaps corrected by hand"):
        refuse_existing([tmp_path / "a.json", tmp_path / "b.json"])
