from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from vsodtool.data.sources.training_data import DataSpec, TrainingData, load_training_data
from vsodtool.errors import ConfigError, DataError
from vsodtool.media.output.manifest import read_manifest, write_manifest

Disks = Callable[[str], Any]


def load(tmp_path: Path, *data: object, **more: Any) -> TrainingData:
    return load_training_data(DataSpec(data=tuple(map(str, data)), **more), cache=tmp_path / "cache")


def counts(data: TrainingData) -> dict[str, tuple[int, int]]:
    """Per video the numbers of given and of pseudo-labelled frames, training and validation together."""
    found: dict[str, tuple[int, int]] = {}
    for video in (*data.train, *data.validation):
        given, pseudo = found.get(video.name, (0, 0))
        found[video.name] = (given + len(video.given), pseudo + len(video.frames) - len(video.given))
    return found


def test_a_davis_style_root_with_sparse_masks(tmp_path: Path, disk: Disks) -> None:
    root = disk("d").davis(["a", "b", "c"], labelled=(0, 3, 7))
    data = load(tmp_path, root)
    assert counts(data) == {"a": (3, 0), "b": (3, 0), "c": (3, 0)}
    assert [frame.position for frame in data.train[0].frames] == [0, 3, 7]
    assert data.notices[0] == f"{root}: 3 videos with 9 given masks"
    assert data.notices[1].startswith("set aside for validation: ")


def test_folders_of_images_and_masks_are_still_images(tmp_path: Path, disk: Disks) -> None:
    root = disk("s").stills(6)
    data = load(tmp_path, root)
    assert all(video.stills for video in (*data.train, *data.validation))
    assert {frame.size for video in data.train for frame in video.frames} > {(40, 60)}
    assert counts(load(tmp_path, f"{root / 'images'}::{root / 'masks'}")) == {"images": (6, 0)}


def test_one_folder_of_numbered_frames_of_one_size_is_a_video(tmp_path: Path, disk: Disks) -> None:
    root = disk("d").davis(["a"])
    pair = f"{root}/JPEGImages/a::{root}/Annotations/a"
    assert not load(tmp_path, pair).train[0].stills
    assert load(tmp_path, f"stills:{pair}").train[0].stills


def test_several_sources_at_once(tmp_path: Path, disk: Disks) -> None:
    data = load(tmp_path, disk("d").davis(["a", "b"]), disk("s").stills(5))
    assert {video.stills for video in data.train} == {True, False}
    assert {video.stills for video in data.validation} == {True, False}


def test_pseudo_labels_with_their_confidence(tmp_path: Path, disk: Disks) -> None:
    root = disk("d").davis(["a", "b", "c"])
    out = disk("out").pseudo(root, every=4, confidence=0.25, maps=True)
    data = load(tmp_path, out)
    video = data.train[0]
    assert [frame.given for frame in video.frames] == [True, False, False, False] * 2
    assert {frame.confidence for frame in video.frames} == {1.0, 0.25}
    assert [frame.confidence_map is None for frame in video.frames] == [True, False, False, False] * 2
    assert all(frame.given for video in data.validation for frame in video.frames)
    thinned = load(tmp_path, out, label_every=1, pseudo_between=1)
    assert [frame.position for frame in thinned.train[0].frames] == [0, 2, 4]


def test_pseudo_labels_of_moved_frames(tmp_path: Path, disk: Disks) -> None:
    root = disk("d").davis(["a", "b"])
    out = disk("out").pseudo(root, every=4)
    moved = shutil.move(root, tmp_path / "elsewhere")
    with pytest.raises(DataError, match=r"expected the frames of a at .*, found nothing there"):
        load(tmp_path, out)
    assert set(counts(load(tmp_path, f"{moved}::{out}"))) == {"a", "b"}


def test_a_video_file_and_its_masks(tmp_path: Path, disk: Disks) -> None:
    video, masks = disk("v").clip([0, 3, 6])
    data = load(tmp_path, f"{video}::{masks}")
    frames = [frame for video in (*data.train, *data.validation) for frame in video.frames]
    assert sorted(frame.name for frame in frames) == ["00000", "00003", "00006"]
    for frame in frames:
        red = cv2.imread(str(frame.image))[..., 2]
        square = cv2.imread(str(frame.mask), cv2.IMREAD_GRAYSCALE) > 0
        assert red[square].mean() > 170  # the square is where the mask is: this is the frame of the mask
        assert red[~square].mean() < 90
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.jpg")}
    assert len(written) == 3
    assert load(tmp_path, f"{video}::{masks}").fingerprint == data.fingerprint
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.jpg")} == written


def test_a_named_dataset(tmp_path: Path, disk: Disks) -> None:
    from vsodtool.config.datasets import find_dataset

    names = find_dataset("segtrackv2").splits["trainval"]
    root = disk("seg").davis([*names, "girl"], frames=3)
    (root / "Annotations").rename(root / "GroundTruth")
    data = load(tmp_path, f"dataset:segtrackv2/trainval@{root}")
    assert set(counts(data)) == set(names)
    shutil.rmtree(root / "JPEGImages" / "frog")
    (root / "GroundTruth" / "worm" / "00001.png").unlink()
    with pytest.raises(DataError, match=r"video without frames: .*frog.*frame without a mask: .*worm/00001"):
        load(tmp_path, f"dataset:segtrackv2@{root}")


def test_a_named_set_of_still_images_and_its_list(tmp_path: Path, disk: Disks) -> None:
    root = disk("hku").stills(5)
    (root / "images").rename(root / "imgs")
    (root / "masks").rename(root / "gt")
    assert sum(map(sum, counts(load(tmp_path, f"dataset:hku-is/all@{root}")).values())) == 5
    with pytest.raises(DataError, match=r"ImageSets/train.txt: expected a list of names"):
        load(tmp_path, f"dataset:hku-is/train@{root}")
    (root / "ImageSets").mkdir()
    (root / "ImageSets" / "train.txt").write_text("picture_0\npicture_4.png\n")
    assert sum(map(sum, counts(load(tmp_path, f"dataset:hku-is@{root}")).values())) == 2
    (root / "ImageSets" / "train.txt").write_text("picture_0\nabsent\n")
    with pytest.raises(DataError, match=r"image without a file: .*imgs/absent"):
        load(tmp_path, f"dataset:hku-is@{root}")
    (root / "ImageSets" / "train.txt").write_text("\n")
    with pytest.raises(DataError, match="found an empty file"):
        load(tmp_path, f"dataset:hku-is@{root}")


def test_own_validation_data(tmp_path: Path, disk: Disks) -> None:
    root, other = disk("d").davis(["a"]), disk("e").davis(["a"])
    data = load(tmp_path, root, validation=(str(other),))
    assert [len(video.frames) for video in (*data.train, *data.validation)] == [8, 8]
    with pytest.raises(DataError, match="8 frames are in the training and in the validation data"):
        load(tmp_path, root, validation=(str(root),))


def test_the_fingerprint_follows_files_and_split(tmp_path: Path, disk: Disks) -> None:
    root = disk("d").davis(["a", "b", "c", "d"])
    first = load(tmp_path, root).fingerprint
    assert load(tmp_path, root).fingerprint == first
    assert load(tmp_path, root, label_every=2).fingerprint != first
    os.utime(root / "Annotations/a/00000.png", (1, 1))
    assert load(tmp_path, root).fingerprint != first


# Bad input: each is refused with what was expected and found.


def test_every_mask_without_a_frame_is_counted_and_three_are_named(tmp_path: Path, disk: Disks) -> None:
    root = disk("d").davis(["a", "b"])
    for number in (1, 2, 3):
        (root / f"JPEGImages/a/{number:05d}.png").unlink()
    shutil.rmtree(root / "JPEGImages/b")
    with pytest.raises(DataError) as refused:
        load(tmp_path, root)
    assert re.fullmatch(
        r"mask without a frame: 11 \(\S+a/00001.png, \S+a/00002.png, \S+a/00003.png, \.\.\.\)",
        refused.value.message,
    )
    assert refused.value.exit_code == 3


def test_faults_of_all_sources_are_told_together(tmp_path: Path, disk: Disks) -> None:
    first, second = disk("d").davis(["a"]), disk("e").davis(["b"])
    (first / "JPEGImages/a/00002.png").unlink()
    (second / "JPEGImages/b/00000.png").write_bytes(b"no picture")
    (second / "Annotations/b/00004.png").write_bytes(b"")
    with pytest.raises(DataError) as refused:
        load(tmp_path, first, second)
    for kind in ("mask without a frame: ", "unreadable image: ", "unreadable mask: "):
        assert kind in refused.value.message


def test_a_mask_of_another_size(tmp_path: Path, disk: Disks) -> None:
    root = disk("d").davis(["a"])
    cv2.imwrite(str(root / "Annotations/a/00003.png"), np.full((20, 30), 255, np.uint8))
    with pytest.raises(
        DataError, match=r"another size than its frame: .*00003.png \(30x20, expected 64x48\)"
    ):
        load(tmp_path, root)


def test_frames_of_several_sizes_in_one_video(tmp_path: Path, disk: Disks) -> None:
    root = disk("d").davis(["a"])
    for kind in ("JPEGImages", "Annotations"):
        path = root / kind / "a/00003.png"
        cv2.imwrite(str(path), cv2.imread(str(path))[:40])
    with pytest.raises(DataError, match=r"frame of another size than 00000.png: .*00003.png"):
        load(tmp_path, root)


def test_a_second_mask_for_a_frame(tmp_path: Path, disk: Disks) -> None:
    video, masks = disk("v").clip([0, 3])
    (masks / "again_3.png").write_bytes((masks / "00003.png").read_bytes())
    (masks / "00042.png").write_bytes((masks / "00003.png").read_bytes())
    with pytest.raises(DataError, match=r"mask without a frame: .*00042.*second mask for a frame: .*again_3"):
        load(tmp_path, f"{video}::{masks}")


def test_all_masks_empty(tmp_path: Path, disk: Disks) -> None:
    root = disk("d").davis(["a", "b"], frames=3)
    for path in (root / "Annotations").rglob("*.png"):
        cv2.imwrite(str(path), np.zeros((48, 64), np.uint8))
    with pytest.raises(DataError, match="all 6 masks are empty"):
        load(tmp_path, root)
    drawn = root / "Annotations/b/00001.png"
    cv2.imwrite(str(drawn), np.full((48, 64), 255, np.uint8))
    assert counts(load(tmp_path, root)) == {"a": (3, 0), "b": (3, 0)}  # empty masks are statements


def test_no_masks_at_all(tmp_path: Path, disk: Disks) -> None:
    root = disk("d").davis(["a"], labelled=())
    (root / "Annotations/a").mkdir(parents=True)
    with pytest.raises(DataError, match="expected frames with masks, found none"):
        load(tmp_path, root)


def test_no_validation_data(tmp_path: Path, disk: Disks) -> None:
    with pytest.raises(DataError, match="no validation data: expected at least 2 given masks, found 1"):
        load(tmp_path, disk("d").davis(["a"], labelled=(2,)))


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


@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        ("absent", DataError, "absent: expected training data, found nothing there"),
        ("dataset:davis2017@.", ConfigError, "unknown dataset 'davis2017'"),
        ("dataset:davis2016/test@.", ConfigError, "no split 'test'"),
        ("dataset:davis2016", ConfigError, "expected dataset:NAME/SPLIT@ROOT"),
        (".::", ConfigError, "expected IMAGES::MASKS"),
        (".", DataError, "expected images/ and masks/ or"),
        ("a.txt", DataError, "expected a folder of training data, found a file"),
    ],
)
def test_texts_that_are_no_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, kind: type[Exception], found: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").touch()
    with pytest.raises(kind, match=re.escape(found)):
        load(tmp_path, text)


def test_no_data_given() -> None:
    with pytest.raises(ConfigError, match="no training data given"):
        DataSpec(data=())
    with pytest.raises(ConfigError, match="validation_share"):
        DataSpec(data=("a",), validation_share=1.0)


def test_real_images_and_videos(tmp_path: Path, shared: Path) -> None:
    data = load(
        tmp_path,
        shared / "data" / "sod",
        f"{shared / 'data/videos/chair.mp4'}::{shared / 'data/videos/chair_masks'}",
    )
    assert counts(data) == {"images": (300, 0), "chair": (60, 0)}
    assert len(list((tmp_path / "cache").rglob("*.jpg"))) == 60
