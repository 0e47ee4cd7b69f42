"""Output folders of pseudolabel as training data."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.data.conftest import write
from tests.data.sources.test_training_data import Disks, counts, load
from vsodtool.data.clips.dataset import ClipDataset
from vsodtool.errors import DataError
from vsodtool.media.masks.plane_png import Palette, encode_plane_png
from vsodtool.media.masks.reading import read_raw_mask
from vsodtool.media.output.journal import journal_lines
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.manifest import read_manifest, write_manifest
from vsodtool.media.output.stamps import stamp
from vsodtool.media.output.tables.frames_csv import read_frames_csv, write_frames_csv
from vsodtool.types import FrameStatus


def test_pseudo_labels_with_their_confidence(tmp_path: Path, disk: Disks) -> None:
    root = disk("d").davis(["a", "b", "c"])
    out = disk("out").pseudo(root, every=4, confidence=0.25, maps=True)
    data = load(tmp_path, out)
    video = data.train[0]
    assert [frame.given for frame in video.frames] == [True, False, False, False] * 2
    assert {frame.confidence for frame in video.frames} == {1.0, 0.25}
    assert [frame.confidence_map is None for frame in video.frames] == [True, False, False, False] * 2
    # What validates are given masks; the others are seen beside them.
    judged = ClipDataset(data.validation, clip_length=1, size=16, augmentation=None)
    assert [judged[place].names for place in range(len(judged))] == [
        (frame.name,) for video in data.validation for frame in video.given
    ]
    clips = ClipDataset(data.validation, clip_length=4, size=16, augmentation=None)
    assert [clip.weights.flatten(1).any(1).tolist() for clip in clips] == [[True, False, False, False]] * 2
    thinned = load(tmp_path, out, label_every=1, pseudo_between=1)
    assert [frame.position for frame in thinned.train[0].frames] == [0, 2, 4]


def test_pseudo_labels_of_several_shots(tmp_path: Path, disk: Disks) -> None:
    root = disk("d").davis(["a", "b", "c"])
    out = disk("out").pseudo(root, every=4)
    manifest = read_manifest(out / "manifest.json")
    assert manifest is not None
    cuts = {"a": [2, 4], "b": [2, 4], "c": [2, 4]}
    write_manifest(out / "manifest.json", replace(manifest, cuts=cuts))
    records = [
        replace(each, left="00000") if each.frame < "00002" or each.frame >= "00004" else each
        for each in read_frames_csv(out / "frames.csv")
    ]
    write_frames_csv(out / "frames.csv", records)
    video = load(tmp_path, out).train[0]
    assert [frame.position for frame in video.frames] == [0, 1, 4, 5, 6, 7]  # nothing known of 2 and 3
    assert [[frame.position for frame in shot.frames] for shot in video.by_shot()] == [[0, 1], [4, 5, 6, 7]]


def test_pseudo_labels_of_moved_frames(tmp_path: Path, disk: Disks) -> None:
    root = disk("d").davis(["a", "b"])
    out = disk("out").pseudo(root, every=4)
    moved = shutil.move(root, tmp_path / "elsewhere")
    with pytest.raises(DataError, match=r"expected the frames of a at .*, found nothing there"):
        load(tmp_path, out)
    assert set(counts(load(tmp_path, f"{moved}::{out}"))) == {"a", "b"}


def test_pseudo_labels_of_another_video(tmp_path: Path, disk: Disks) -> None:
    root = disk("d").davis(["a"])
    out = disk("out").pseudo(root, every=4)
    other = disk("e").davis(["a"], frames=11)
    with pytest.raises(
        DataError, match=r"pseudo-labels of another video: expected the 8 frames of a, found 11"
    ):
        load(tmp_path, f"{other}::{out}")
    several = disk("f").davis(["b", "c"])
    with pytest.raises(DataError, match=r"pseudo-labels of another video: expected frames of a, found b, c"):
        load(tmp_path, f"{several}::{out}")
    (root / "JPEGImages/a/00003.png").touch()
    with pytest.raises(DataError, match="have changed since the pseudo-labels were made"):
        load(tmp_path, out)


def test_unfinished_and_damaged_pseudo_labels(tmp_path: Path, disk: Disks) -> None:
    root = disk("d").davis(["a"])
    out = disk("out").pseudo(root, every=4)
    (out / "masks/a/00002.png").unlink()
    with pytest.raises(DataError, match=r"missing mask: .*00002.png"):
        load(tmp_path, out)
    manifest = read_manifest(out / "manifest.json")
    assert manifest is not None
    write_manifest(out / "manifest.json", type(manifest)("pseudolabel", {}, manifest.inputs))
    with pytest.raises(DataError, match="found an unfinished one"):
        load(tmp_path, out)


def test_the_kinds_of_frames_are_counted(tmp_path: Path, disk: Disks) -> None:
    root = disk("d").davis(["a", "b"])
    out = disk("out").pseudo(root, every=4, confidence=0.25)
    layout = OutputLayout(out)
    for frame in ("00000", "00001"):  # taken by --update, and not
        layout.correction("a", frame).parent.mkdir(parents=True, exist_ok=True)
        layout.correction("a", frame).write_bytes(b"")
    records = read_frames_csv(layout.frames_csv)
    skipped = replace(records[-1], status=FrameStatus.SKIPPED, confidence=0.0)
    write_frames_csv(layout.frames_csv, [*records[:-1], skipped])
    notices = load(tmp_path, out).notices
    assert notices[0] == (
        f"{out}: frames: 3 given, 1 corrected, 11 generated; left out: 1 of shots without a mask, or skipped"
    )
    assert notices[1].startswith(f"{out}: 1 correction is not taken yet: run pseudolabel with --update")


@pytest.mark.parametrize(("void", "object_pixels"), [("none", 12), ("auto", 8), ("1", 4)])
def test_void_is_what_the_run_was_told(tmp_path: Path, disk: Disks, void: str, object_pixels: int) -> None:
    out = disk("out").pseudo(disk("d").davis(["a", "b", "c"]), every=4)
    layout = OutputLayout(out)
    palette = Palette(bytes(value for index in range(256) for value in (index, 255 - index, 0)[::-1]))
    for path in layout.root.rglob("masks/*/*.png"):
        labels = np.zeros_like(read_raw_mask(path).values)
        labels[:2, :4], labels[4:5, :4] = 1, 255
        path.write_bytes(encode_plane_png(labels, Palette(b"\0\0\0" + palette.colours[3:])))
    manifest = read_manifest(layout.manifest)
    assert manifest is not None
    write_manifest(layout.manifest, replace(manifest, config={**manifest.config, "void": void}))
    video = load(tmp_path, out).train[0]
    labels = video.encoding.labels(read_raw_mask(video.frames[0].mask))
    assert np.count_nonzero(labels) == object_pixels


def test_masks_that_somebody_drew_on_are_told_of(tmp_path: Path, disk: Disks) -> None:
    root = disk("d").davis(["a", "b"])
    layout = OutputLayout(disk("out").pseudo(root, every=4))
    records = read_frames_csv(layout.frames_csv)
    masks = {
        name: layout.root / name for name in (f"masks/{each.video}/{each.frame}.png" for each in records)
    }
    layout.written.write_bytes(journal_lines(records, {name: stamp(path) for name, path in masks.items()}))
    assert not any("not taken" in line for line in load(tmp_path, layout.root).notices)
    for frame in ("00000", "00001"):  # given, whose mask is his in any case, and generated
        drawn = read_raw_mask(layout.masks("a", frame)).values.copy()
        drawn[:3] = 255
        write(layout.masks("a", frame), drawn)
    notices = load(tmp_path, layout.root).notices
    assert notices[1].startswith(
        f"{layout.root}: 1 correction is not taken yet: run pseudolabel with --update"
    )
