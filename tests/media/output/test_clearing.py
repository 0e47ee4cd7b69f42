"""Clearing takes what the tool wrote, and nothing else."""

from __future__ import annotations

from dataclasses import replace

from tests.media.output.small_run import Run, snapshot
from vsodtool.media.atomic import temporary_path, write_bytes_atomically
from vsodtool.media.output.manifest import CLEARING, write_manifest


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
