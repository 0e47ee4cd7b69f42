"""State files: links and strangers are refused, nothing is followed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vsodtool.errors import DataError
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.own_files import open_own, read_own, refuse_linked_folders


def test_a_file_of_its_own_is_read_back(tmp_path: Path) -> None:
    with os.fdopen(open_own(tmp_path / "state", os.O_CREAT | os.O_WRONLY), "wb") as file:
        file.write(b"so far")
    assert read_own(tmp_path / "state") == b"so far"


def test_a_file_that_is_not_there_is_none_and_is_not_made(tmp_path: Path) -> None:
    assert read_own(tmp_path / "state") is None
    assert not (tmp_path / "state").exists()


def test_a_link_is_refused_and_its_target_keeps_its_bytes(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.write_bytes(b"precious")
    (tmp_path / "state").symlink_to(theirs)
    with pytest.raises(DataError, match="expected a file of the tool's own, found a link to"):
        open_own(tmp_path / "state", os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    assert theirs.read_bytes() == b"precious"


def test_a_second_name_of_somebody_elses_file_is_refused(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.write_bytes(b"precious")
    (tmp_path / "state").hardlink_to(theirs)
    with pytest.raises(DataError, match="a file with two names"):
        open_own(tmp_path / "state", os.O_WRONLY)
    assert theirs.read_bytes() == b"precious"


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "state"
    if kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    with pytest.raises(DataError, match="expected a file of the tool's own"):
        open_own(path, os.O_WRONLY)


def test_an_output_folder_that_leads_elsewhere_is_refused_by_its_name(tmp_path: Path) -> None:
    layout = OutputLayout(tmp_path / "out")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder = layout.masks("clip", "00000").parent
    folder.parent.mkdir(parents=True)
    refuse_linked_folders(layout, ["clip"])
    folder.symlink_to(elsewhere)
    with pytest.raises(DataError, match=f"found a link to {elsewhere}"):
        refuse_linked_folders(layout, ["clip"])
