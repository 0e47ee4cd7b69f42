"""Splits of named datasets."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.data.sources.test_training_data import Disks, counts, load
from vsodtool.errors import DataError


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
    if hasattr(os, "mkfifo"):
        os.mkfifo(root / "ImageSets" / "train.txt")
        with pytest.raises(DataError, match="expected a file, found a named pipe"):
            load(tmp_path, f"dataset:hku-is/train@{root}")
        (root / "ImageSets" / "train.txt").unlink()
    (root / "ImageSets" / "train.txt").write_text("picture_0\npicture_4.png\n", "utf-8-sig")
    assert sum(map(sum, counts(load(tmp_path, f"dataset:hku-is@{root}")).values())) == 2
    (root / "ImageSets" / "train.txt").write_text("picture_0\nabsent\n")
    with pytest.raises(DataError, match=r"image without a file: .*imgs/absent"):
        load(tmp_path, f"dataset:hku-is@{root}")
    (root / "ImageSets" / "train.txt").write_text("\n")
    with pytest.raises(DataError, match="found an empty file"):
        load(tmp_path, f"dataset:hku-is@{root}")
