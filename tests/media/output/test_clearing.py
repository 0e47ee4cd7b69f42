"""Clearing takes what the tool wrote, says so, and takes nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.media.output.small_run import Run, snapshot
from vsodtool.errors import UsageError
from vsodtool.media.annotations.label_images import objects_json
from vsodtool.media.atomic import temporary_path, write_bytes_atomically
from vsodtool.media.masks.plane_png import encode_plane_png
from vsodtool.media.output.clearing import clear, find_cleared
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.manifest import CLEARING, Manifest, read_manifest, write_manifest
from vsodtool.media.output.resume import check_resumable, describe_run, start_or_resume
from vsodtool.types import FrameRecord, FrameStatus


def mask(value: int) -> bytes:
    return encode_plane_png(np.full((4, 6), value, np.uint8))


STATE = {
    "objects.json": objects_json([]),
    "suggest.json": b'{"version": 1, "hidden": {}}',
}


@pytest.fixture
def layout(tmp_path: Path) -> OutputLayout:
    """A finished run: two masks, adapted weights, an overlay; the tables; what `suggest` keeps."""
    layout = OutputLayout(tmp_path / "out")
    objects = ((1, 0.5), (2, 0.5))
    records = [FrameRecord("bear", each, FrameStatus.GENERATED, "", "", 0.5, "", objects) for each in "ab"]
    with start_or_resume(
        layout, manifest("pseudolabel"), outputs_of=lambda record: [layout.masks(record.video, record.frame)]
    ) as state:
        for record in records:
            write_bytes_atomically(layout.masks("bear", record.frame), mask(255))
        more = [layout.adapted("bear"), layout.overlay("bear")]
        for path in more:
            write_bytes_atomically(path, b"x")
        state.wrote(more)
        state.commit(records)
        state.finish(records, 1.0)
    for name, data in STATE.items():
        (layout.root / name).write_bytes(data)
    return layout


def manifest(command: str) -> Manifest:
    return describe_run(command, {}, [], {})


def names(layout: OutputLayout) -> set[str]:
    return {path.relative_to(layout.root).as_posix() for path in layout.root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("command", ["predict", "pseudolabel"])
def test_it_says_all_that_it_takes_away(layout: OutputLayout, command: str) -> None:
    before = names(layout)
    told = str(find_cleared(layout))
    assert names(layout) == before
    assert told == (
        "9 files of an earlier run: 1 in adapted, 2 in masks, 1 in overlay, frames.csv, objects.csv, "
        "objects.json, suggest.json, written.jsonl"
    )
    moved, cleared = clear(layout, manifest(command))
    assert (moved, str(cleared)) == ([], told)
    # Its own names of objects `pseudolabel` writes anew or deletes when it knows which ids they had.
    assert names(layout) == {"manifest.json", *(["objects.json"] if command == "pseudolabel" else [])}
    assert str(find_cleared(layout)) in ("", "1 file of an earlier run: objects.json")


def test_edits_are_moved_and_not_counted(layout: OutputLayout) -> None:
    layout.masks("bear", "a").write_bytes(mask(0))
    cleared = find_cleared(layout)
    assert cleared.edits == [layout.masks("bear", "a")]
    assert "1 in masks" in str(cleared)
    moved, _ = clear(layout, manifest("flow"))
    assert moved == [layout.correction("bear", "a")]


@pytest.mark.parametrize("name", ["objects.json", "objects.csv", "suggest.json"])
@pytest.mark.parametrize("data", [b"mine", b'{"mine": 1}', b""])
def test_files_of_others_stay(layout: OutputLayout, name: str, data: bytes) -> None:
    (layout.root / name).write_bytes(data)
    assert name not in str(find_cleared(layout))
    clear(layout, manifest("flow"))
    assert (layout.root / name).read_bytes() == data


@pytest.mark.parametrize("name", ["objects.json", "objects.csv", "suggest.json"])
def test_a_new_folder_that_holds_files_of_these_names_is_refused(tmp_path: Path, name: str) -> None:
    layout = OutputLayout(tmp_path)
    (tmp_path / name).write_bytes(STATE.get(name, b"video,frame,object,confidence\n"))
    assert read_manifest(layout.manifest) is None
    for overwrite in (False, True):
        with pytest.raises(UsageError, match=f"{name} exists and was not written by vsodtool"):
            check_resumable(layout, manifest("pseudolabel"), overwrite=overwrite)


def test_overwrite_deletes_only_what_the_tool_wrote(run: Run) -> None:
    run.complete()
    mine = ["notes.txt", "masks/bear/notes.txt", "masks/readme.md", "photos/00000.png", "overlay/film.mp4"]
    mine += ["masks/bear/corrected-by-hand.png", "masks/other/00000.png", "flow/my.flo"]
    for name in mine:
        write_bytes_atomically(run.layout.root / name, b"mine")
    outside = run.layout.root.parent / "outside"
    write_bytes_atomically(outside / "00000.png", b"mine")
    (run.layout.root / "masks" / "linked").symlink_to(outside)
    run.start(overwrite=True).close()
    assert sorted(snapshot(run.layout.root)) == sorted([*mine, "manifest.json"])
    assert (outside / "00000.png").exists()
    assert (run.layout.root / "masks" / "linked").is_symlink()


def test_overwrite_takes_emptied_folders_away(run: Run) -> None:
    flow = run.layout.flow("bear", "00000", "forward", "flo")
    with run.start() as state:
        write_bytes_atomically(flow, b"flow")
        state.wrote([flow])
    (run.layout.root / "soft").mkdir()
    run.start(overwrite=True).close()
    assert sorted(path.name for path in run.layout.root.iterdir()) == ["manifest.json", "soft"]


def test_leftovers_of_a_killed_run_are_removed(run: Run) -> None:
    run.complete()
    for path in (run.layout.manifest, run.layout.masks("bear", "00000"), run.layout.overlay("cat")):
        path.parent.mkdir(exist_ok=True)
        temporary_path(path).write_bytes(b"half")
    run.start().close()
    assert not [name for name in snapshot(run.layout.root) if name.endswith(".tmp")]


def test_killed_while_clearing_goes_on_clearing(run: Run) -> None:
    run.complete()
    write_manifest(run.layout.manifest, replace(run.describe(), status=CLEARING))
    run.config["quality"] = "best"
    with run.start() as state:
        assert (state.resumed, state.finished("bear")) == (False, {})
        assert sorted(snapshot(run.layout.root)) == [".vsodtool.lock", "manifest.json"]
