"""Folders of `labelme_json_to_dataset`, made as it makes them."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vsodtool.errors import DataError
from vsodtool.media.annotations.reading import read_annotations
from vsodtool.media.annotations.recognition import holds_annotations
from vsodtool.types import LabelArray

NAMES = "_background_\nball\ndog\n"


@pytest.fixture
def folders(tmp_path: Path, truth: dict[int, LabelArray]) -> Path:
    """The golden scene; classes are sorted by name, as LabelMe does, so that ball is 1 and dog 2."""
    root = tmp_path / "clip"
    for number, labels in truth.items():
        folder = root / f"{number:05d}_json"
        folder.mkdir(parents=True)
        image = Image.fromarray(np.array([0, 2, 1], np.uint8)[labels], "P")
        image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
        image.save(folder / "label.png")
        for name in ("img.png", "label_viz.png"):
            Image.new("RGB", (10, 8)).save(folder / name)
        (folder / "label_names.txt").write_text(NAMES, "utf-8")
    return root


def test_the_scene_is_read(folders: Path, truth: dict[int, LabelArray]) -> None:
    assert holds_annotations(folders)
    (video,) = (found := read_annotations(folders)).videos
    assert found.format == "labelme-folders"
    assert [frame.key.stem for frame in video.frames] == ["00000", "00002", "00004"]
    assert [frame.empty for frame in video.frames] == [False, False, True]
    for frame, labels in zip(video.frames, truth.values(), strict=True):
        drawn = {shape.category: shape.draw((8, 10)) for shape in frame.shapes}
        for number, name in ((1, "dog"), (2, "ball")):
            if (labels == number).any():
                np.testing.assert_array_equal(drawn.pop(name), labels == number)
        assert not drawn


def test_names_in_yaml_and_in_a_zip(folders: Path, tmp_path: Path) -> None:
    for text in folders.rglob("label_names.txt"):
        (text.parent / "info.yaml").write_text("label_names: [_background_, ball, dog]\n", "utf-8")
        text.unlink()
    shutil.make_archive(str(tmp_path / "export"), "zip", folders)
    with zipfile.ZipFile(tmp_path / "export.zip") as file:
        assert "00000_json/label.png" in file.namelist()
    categories = read_annotations(tmp_path / "export.zip").categories
    assert {category.name for category in categories} == {"dog", "ball"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("names", "expected label_names.txt, a line for each value, found none"),
        ("short", "expected values below 2, the lines of label_names.txt, found 2"),
        ("yaml", "info.yaml: expected YAML, found damage"),
        ("colour", "expected a palette or grey picture, found RGB"),
        ("damage", "label.png: expected a PNG"),
    ],
)
def test_what_is_wrong_is_refused(folders: Path, change: str, expected: str) -> None:
    folder = folders / "00000_json"
    text, picture = folder / "label_names.txt", folder / "label.png"
    if change == "names":
        text.unlink()
    elif change == "short":
        text.write_text("_background_\nball\n", "utf-8")
    elif change == "yaml":
        text.unlink()
        (folder / "info.yaml").write_text("label_names: [", "utf-8")
    elif change == "colour":
        Image.new("RGB", (10, 8)).save(picture)
    else:
        picture.write_bytes(b"no picture")
    with pytest.raises(DataError, match=expected) as caught:
        read_annotations(folders)
    assert "labelme_json_to_dataset" in caught.value.hint
