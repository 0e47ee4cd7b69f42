"""Where predictions and truths are found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vsodtool.errors import DataError
from vsodtool.media.images import write_png
from vsodtool.media.maps.trees import find_maps
from vsodtool.media.output.tables.frames_csv import write_frames_csv
from vsodtool.types import FrameRecord, FrameStatus


def put(folder: Path, *names: str) -> Path:
    for name in names:
        write_png(folder / name, np.zeros((2, 3), np.uint8))
    return folder


def test_a_folder_of_maps_is_one_video(tmp_path: Path) -> None:
    tree = find_maps(put(tmp_path / "camel", "10.png", "2.png"))
    assert tree.flat
    assert [file.stem for file in tree.videos["camel"]] == ["2", "10"]


def test_a_link_to_a_folder_of_maps_has_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "chair").symlink_to(put(tmp_path / "store", "0.png"))
    assert list(find_maps(tmp_path / "chair").videos) == ["chair"]


@pytest.mark.parametrize("inside", ["", "480p", "Annotations", "Annotations/480p"])
def test_folders_of_videos_at_any_depth_of_davis(tmp_path: Path, inside: str) -> None:
    put(tmp_path / inside, "a/0.png", "b/0.png")
    tree = find_maps(tmp_path)
    assert (list(tree.videos), tree.flat, tree.folder) == (["a", "b"], False, tmp_path / inside)


def test_stray_files_are_ignored(tmp_path: Path) -> None:
    put(tmp_path, "a/0.png", "a/._0.png")
    (tmp_path / "a" / "Thumbs.db").touch()
    (tmp_path / "notes.json").touch()
    assert [file.name for file in find_maps(tmp_path).videos["a"]] == ["0.png"]


def output(root: Path, *kinds: str) -> Path:
    for kind in kinds:
        put(root / kind, "clip/0.png", "clip/1.png")
    given = FrameRecord("clip", "0", FrameStatus.GIVEN, "0", "0", 1.0)
    made = FrameRecord("clip", "1", FrameStatus.GENERATED, "0", "", 0.5)
    write_frames_csv(root / "frames.csv", [given, made])
    return root


@pytest.mark.parametrize(
    ("kinds", "prefers", "found"),
    [
        (("masks", "soft"), "soft", "soft"),
        (("masks", "soft"), "masks", "masks"),
        (("masks",), "soft", "masks"),
        (("soft",), "masks", "soft"),
        (("masks", "soft", "confidence"), "soft", "soft"),
    ],
)
def test_an_output_folder_is_opened_where_the_protocol_wants(
    tmp_path: Path, kinds: tuple[str, ...], prefers: str, found: str
) -> None:
    tree = find_maps(output(tmp_path, *kinds), prefers)
    assert tree.folder == tmp_path / found
    assert tree.soft == (found == "soft")
    assert list(tree.videos) == ["clip"]
    assert tree.given == {"clip": frozenset({"0"})}
    assert f"reading {found}/" in tree.notices[0]
    assert ("there is no" in tree.notices[0]) == (found != prefers)


def test_a_data_set_with_a_folder_called_masks_is_no_output(tmp_path: Path) -> None:
    put(tmp_path, "images/0.png", "masks/0.png")
    assert list(find_maps(tmp_path).videos) == ["images", "masks"]


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found nothing there"):
        find_maps(tmp_path / "none")
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="found a file there"):
        find_maps(tmp_path / "file")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"expected maps .* found none"):
        find_maps(tmp_path / "empty")
    put(tmp_path / "twice", "0.png", "0.jpg")
    with pytest.raises(DataError, match=r"0\.jpg and 0\.png with one stem"):
        find_maps(tmp_path / "twice")


def test_maps_beside_folders_of_maps_are_told(tmp_path: Path) -> None:
    for path in (tmp_path / "a" / "0.png", tmp_path / "0.png"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    tree = find_maps(tmp_path)
    assert list(tree.videos) == ["a"]
    assert tree.notices == (f"{tmp_path}: maps directly in it are left out, those of its folders are read",)
