"""What is taken for annotations, and what for masks."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from vsodtool.media.annotations.reading import is_known_format
from vsodtool.media.annotations.recognition import holds_annotations


@pytest.mark.parametrize("name", ["labelme", "coco/compressed.json", "cvat-mask.zip", "yolo", "supervisely"])
def test_annotations(golden: Path, name: str) -> None:
    assert holds_annotations(golden / name)


def test_masks_and_folders_without_anything(golden: Path, tmp_path: Path) -> None:
    assert not holds_annotations(golden / "truth")
    assert not holds_annotations(golden / "truth" / "00000.png")
    assert not holds_annotations(tmp_path)
    assert not holds_annotations(tmp_path / "missing")


def test_files_of_labelme_beside_their_images_are_annotations(golden: Path, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    shutil.copytree(golden / "labelme", folder)
    for number in (0, 1, 2, 3, 4):
        cv2.imwrite(str(folder / f"{number:05d}.jpg"), np.zeros((8, 10, 3), np.uint8))
    assert holds_annotations(folder)


def test_stray_files_beside_masks_do_not_matter(golden: Path, tmp_path: Path) -> None:
    shutil.copytree(golden / "truth", tmp_path / "masks")
    (tmp_path / "masks" / "notes.json").write_text("{}", "utf-8")
    (tmp_path / "masks" / "00000.json").write_text('{"shapes": []}', "utf-8")
    assert not holds_annotations(tmp_path / "masks")


@pytest.mark.parametrize(
    ("name", "copy", "images"),
    [
        ("yolo", "", "images/train"),
        ("supervisely", "", "ds0/img"),
        ("coco/compressed.json", "annotations/instances_default.json", "images"),
        ("cvat/images.xml", "annotations.xml", "images"),
    ],
)
def test_projects_with_their_images_are_annotations(
    golden: Path, tmp_path: Path, name: str, copy: str, images: str
) -> None:
    root, source = tmp_path / "project", golden / name
    if source.is_dir():
        shutil.copytree(source, root)
    else:
        (root / copy).parent.mkdir(parents=True)
        shutil.copy(source, root / copy)
    (root / images).mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(root / images / "00000.jpg"), np.zeros((8, 10, 3), np.uint8))
    assert holds_annotations(root)
    assert is_known_format(root)


def test_masks_in_a_folder_called_labels_are_masks(golden: Path, tmp_path: Path) -> None:
    shutil.copytree(golden / "truth", tmp_path / "labels" / "clip")
    (tmp_path / "labels" / "notes.txt").write_text("drawn on Monday", "utf-8")
    assert not holds_annotations(tmp_path)
