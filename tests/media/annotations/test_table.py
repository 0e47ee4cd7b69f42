"""What is taken for annotations, and what for masks."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from vsodtool.media.annotations.table import holds_annotations


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
