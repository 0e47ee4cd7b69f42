"""What the table of a finished run tells: labels, cuts; and refused folders."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from vsodtool.errors import DataError, UsageError
from vsodtool.media.output.manifest import COMPLETE, Manifest, write_manifest
from vsodtool.media.output.tables.frames_csv import write_frames_csv
from vsodtool.pipelines.suggesting.finished import FinishedVideo, is_output, read_finished
from vsodtool.types import FrameRecord, FrameStatus

GIVEN, MADE, LOST = FrameStatus.GIVEN, FrameStatus.GENERATED, FrameStatus.SKIPPED


def rows(text: str, shots: tuple[int, ...] = ()) -> list[FrameRecord]:
    """The table of a video whose frames are given (G), made (.) or lost (x); nothing crosses a cut."""
    found = []
    labels = [index for index, letter in enumerate(text) if letter == "G"]
    for index, letter in enumerate(text):
        first = max((cut for cut in shots if cut <= index), default=0)
        after = min((cut for cut in shots if cut > index), default=len(text))
        left = max((at for at in labels if first <= at <= index), default=None)
        right = min((at for at in labels if index <= at < after), default=None)
        status = {"G": GIVEN, ".": MADE, "x": LOST}[letter]
        sides = ["" if at is None or letter == "x" else f"{at:05d}" for at in (left, right)]
        found.append(
            FrameRecord("clip", f"{index:05d}", status, *sides, 0.5 if letter == "." else letter == "G")
        )
    return found


@pytest.mark.parametrize(
    ("text", "shots"),
    [
        ("..G...G..", ()),
        ("..G...G..", (4,)),
        ("..G...G..", (3,)),  # right behind a label
        ("..G...G..", (6,)),  # right before one
        ("..G......", (5,)),  # a shot without a label
        ("..G..x..G..", (6,)),
        ("..G.xx..G..", ()),
        (".....", ()),
    ],
)
def test_cuts_are_told_by_what_was_carried(text: str, shots: tuple[int, ...]) -> None:
    video = FinishedVideo("clip", rows(text, shots))
    assert video.cuts == list(shots)
    assert video.labels == [index for index, letter in enumerate(text) if letter == "G"]


def test_cuts_that_the_run_found_hold() -> None:
    assert FinishedVideo("clip", rows("....."), [2, 4]).cuts == [2, 4]
    assert FinishedVideo("clip", rows("..G...G..", (4,)), []).cuts == []


def test_the_labels_around_a_frame() -> None:
    video = FinishedVideo("clip", rows("..G...G..", (4,)))
    assert video.around(3) == ("00002", "")
    assert video.around(5) == ("", "00006")
    assert video.around(0) == ("", "00002")


def test_what_the_rule_is_told() -> None:
    known = FinishedVideo("clip", rows("..G.x.G..", (3,))).known({2: {1: 0.25}})
    assert known.frames == 9
    assert (list(known.labels), list(known.cuts), set(known.unusable)) == ([2, 6], [3], {4})
    assert known.confidence.tolist() == [0.5, 0.5, 1, 0.5, 0, 0.5, 1, 0.5, 0.5]
    assert known.errors == {2: {1: 0.25}}


def test_folders(tmp_path: Path) -> None:
    assert not is_output(tmp_path)
    with pytest.raises(UsageError, match="expected an output folder of pseudolabel or predict, found none"):
        read_finished(tmp_path)
    manifest = Manifest("pseudolabel", {}, {}, status=COMPLETE)
    write_manifest(tmp_path / "manifest.json", manifest)
    write_frames_csv(tmp_path / "frames.csv", rows("..G..G"))
    assert is_output(tmp_path)
    (video,) = read_finished(tmp_path).videos
    assert video.labels == [2, 5]
    for status in ("running", "clearing", "updating"):
        write_manifest(tmp_path / "manifest.json", dataclasses.replace(manifest, status=status))
        with pytest.raises(DataError, match="expected a finished run, found an unfinished one"):
            read_finished(tmp_path)
    write_manifest(tmp_path / "manifest.json", dataclasses.replace(manifest, command="flow"))
    with pytest.raises(UsageError, match="found one of flow"):
        read_finished(tmp_path)
