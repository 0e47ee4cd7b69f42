"""Which format annotation files are of, by their content."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vsodtool.errors import DataError
from vsodtool.media.annotations.reading import find_format, is_known_format, read_annotations
from vsodtool.media.annotations.recognition import holds_annotations
from vsodtool.media.annotations.source import Source


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<annotation><folder>x</folder></annotation>", "boxes and no masks"),
        ('[{"image": "a.png", "tag": []}]', "JSON-MIN"),
        ('[{"segmentation": {"size": [1, 1], "counts": "1"}, "area": 1}]', "a list of masks"),
        ('{"something": 1}', "expected masks or annotations"),
    ],
)
def test_other_files_are_told_apart(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / ("file.xml" if text.startswith("<") else "file.json")
    path.write_text(text, "utf-8")
    with pytest.raises(DataError, match=expected) as caught:
        read_annotations(path)
    assert caught.value.message.startswith(f"{path}: ")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_a_text_of_another_encoding_is_said_to_be_one(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "annotations.xml"
    text = "<annotations></annotations>"
    path.write_text(text if encoding == "utf-16" else f"\ufeff{text}", encoding)
    with pytest.raises(DataError, match="expected text in UTF-8, found UTF-16"):
        read_annotations(path)


def test_plain_masks_are_no_annotations(tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    for name in ("0.png", "1.png"):
        Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "masks" / name)
    with zipfile.ZipFile(tmp_path / "masks.zip", "w") as file:
        for name in ("0.png", "1.png"):
            file.write(tmp_path / "masks" / name, f"masks/{name}")
    for path, found, hint in (
        (tmp_path / "masks", "a folder of pictures", "pseudolabel"),
        (tmp_path / "masks" / "0.png", "a picture", "pseudolabel"),
        (tmp_path / "masks.zip", "a zip of pictures", "unpack it"),
    ):
        with pytest.raises(DataError, match=f"expected annotations .* found {found}$") as caught:
            read_annotations(path)
        assert hint in caught.value.hint


def test_two_formats_in_one_folder_are_refused_until_one_is_named(golden: Path, tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_bytes((golden / "cvat" / "images.xml").read_bytes())
    (tmp_path / "a.json").write_bytes((golden / "coco" / "compressed.json").read_bytes())
    with pytest.raises(DataError, match=r"found CVAT XML 1\.1 and COCO instances") as caught:
        find_format(Source(tmp_path))
    assert "--masks-format cvat" in caught.value.hint
    assert find_format(Source(tmp_path), "coco")[1] == ("a.json",)


def test_what_is_of_no_known_format(golden: Path, tmp_path: Path) -> None:
    assert not is_known_format(golden / "truth")
    (tmp_path / "notes.json").write_text("{}", "utf-8")
    assert holds_annotations(tmp_path)
    assert not is_known_format(tmp_path)
