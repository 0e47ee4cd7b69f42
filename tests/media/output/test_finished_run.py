"""What a command that begins from an OUT folder is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsodtool.errors import DataError, UsageError
from vsodtool.media.output.finished_run import read_finished_run, read_run_of
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.manifest import COMPLETE, RUNNING, UPDATING, Manifest, write_manifest


def layout_with(folder: Path, command: str, status: str) -> OutputLayout:
    layout = OutputLayout(folder)
    write_manifest(layout.manifest, Manifest(command, {}, {}, status=status))
    return layout


def test_a_finished_run_is_read(tmp_path: Path) -> None:
    layout = layout_with(tmp_path, "predict", COMPLETE)
    assert read_finished_run(layout, ("pseudolabel", "predict")).command == "predict"


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected an output folder of pseudolabel or predict, found none"):
        read_run_of(OutputLayout(tmp_path), ("pseudolabel", "predict"))


def test_a_run_of_another_command_is_refused(tmp_path: Path) -> None:
    layout = layout_with(tmp_path, "flow", COMPLETE)
    with pytest.raises(UsageError, match="expected an output folder of pseudolabel, found one of flow"):
        read_finished_run(layout, ("pseudolabel",))


def test_an_unfinished_run_is_refused_with_what_to_do(tmp_path: Path) -> None:
    layout = layout_with(tmp_path, "pseudolabel", RUNNING)
    with pytest.raises(DataError, match="expected a finished run, found an unfinished one") as refusal:
        read_finished_run(layout, ("pseudolabel",))
    assert refusal.value.hint == "run its command again first"


@pytest.mark.parametrize("status", [COMPLETE, UPDATING])
def test_a_caller_says_which_statuses_count(tmp_path: Path, status: str) -> None:
    layout = layout_with(tmp_path, "pseudolabel", status)
    assert read_finished_run(layout, ("pseudolabel",), statuses=(COMPLETE, UPDATING)).status == status
