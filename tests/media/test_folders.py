"""Natural order, stray files, and finding videos in DAVIS-style trees."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsodtool.errors import DataError
from vsodtool.media.folders import (
    descend_davis,
    frame_name,
    image_folders,
    list_images,
    natural_key,
    natural_order,
)


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


@given(st.sets(st.integers(0, 10**6), min_size=1))
def test_numbers_sort_by_value(numbers: set[int]) -> None:
    names = sorted((f"Frame_{number}" for number in numbers), key=natural_key)
    assert [int(name.removeprefix("Frame_")) for name in names] == sorted(numbers)


@given(st.lists(st.text(max_size=12), max_size=8))
def test_any_names_have_one_order(names: list[str]) -> None:
    backwards = names[::-1]
    assert sorted(names, key=natural_key) == sorted(backwards, key=natural_key)


@pytest.mark.parametrize(
    "names",
    [
        ["0.0", "0.04", "0.08", "0.12", "0.2", "1.0", "1.04", "10.0"],
        ["clip_0.5", "clip_1.041667", "clip_1.25"],
        ["1.9", "1.10", "1.11", "2.1"],  # chapters and numbers
        ["s1.01", "s1.02", "s1.99", "s1.100"],  # a counter that has run over
        ["a0.04", "b0.2"],
    ],
)
def test_times_in_seconds_sort_by_value_and_counters_by_number(names: list[str]) -> None:
    shuffled = names[::-1]
    assert [shuffled[place] for place in natural_order(shuffled)] == names


def test_case_does_not_matter() -> None:
    assert sorted(["b1", "A10", "a2", "B0"], key=natural_key) == ["a2", "A10", "B0", "b1"]


def test_only_images_are_listed_in_natural_order(tmp_path: Path) -> None:
    touch(*(tmp_path / name for name in ["10.PNG", "2.jpg", "1.tiff", "3.webp"]))
    touch(*(tmp_path / name for name in [".DS_Store", "Thumbs.db", "a.json", "._2.jpg", "notes.txt"]))
    touch(tmp_path / "sub.png" / "0.png")
    assert [file.name for file in list_images(tmp_path)] == ["1.tiff", "2.jpg", "3.webp", "10.PNG"]


def test_two_files_with_one_stem_are_refused(tmp_path: Path) -> None:
    touch(tmp_path / "7.jpg", tmp_path / "7.png")
    with pytest.raises(DataError, match=r"found 7\.jpg and 7\.png with one stem") as caught:
        list_images(tmp_path)
    assert str(tmp_path) in caught.value.message
    assert caught.value.hint


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot read the folder"):
        list_images(tmp_path / "absent")


def test_folders_without_images_are_no_videos(tmp_path: Path) -> None:
    touch(tmp_path / "b" / "0.png", tmp_path / "a" / "0.jpg")
    touch(tmp_path / "c" / "x.txt", tmp_path / ".d" / "0.png", tmp_path / "__MACOSX" / "._0.png")
    assert list(image_folders(tmp_path)) == ["a", "b"]


@pytest.mark.parametrize("base", ["JPEGImages/480p", "JPEGImages", "JPEGImages/1080p", "480p", ""])
def test_davis_trees_are_entered(tmp_path: Path, base: str) -> None:
    touch(tmp_path / base / "camel" / "0.jpg")
    assert descend_davis(tmp_path, "JPEGImages") == tmp_path / base


def test_480p_is_preferred(tmp_path: Path) -> None:
    for resolution in ("1080p", "480p", "Full-Resolution"):
        touch(tmp_path / "Annotations" / resolution / "camel" / "0.png")
    assert descend_davis(tmp_path, "Annotations").name == "480p"
    assert descend_davis(tmp_path / "Annotations", "Annotations").name == "480p"


def test_a_root_without_annotations_does_not_offer_its_frames(tmp_path: Path) -> None:
    touch(tmp_path / "JPEGImages" / "camel" / "0.jpg")
    assert descend_davis(tmp_path, "Annotations") == tmp_path


@pytest.mark.parametrize("form", ["{}", "t_{}", "t={}", "t({})"])
def test_negative_numbers_sort_as_numbers(form: str) -> None:
    names = [form.format(number) for number in (-10, -2, 0, 1, 10)]
    assert sorted([*names[2:], *names[:2]], key=natural_key) == names
    minus = [name.replace("-", "\u2212") for name in names]
    assert sorted([*minus[2:], *minus[:2]], key=natural_key) == minus


def test_a_hyphen_is_no_minus() -> None:
    names = ["2020-01-02", "2020-01-10", "clip-1", "clip-2", "clip-10"]
    assert sorted([*names[2:], *names[:2]], key=natural_key) == names


def test_links_that_lead_nowhere_and_pipes_are_listed(tmp_path: Path) -> None:
    touch(tmp_path / "0.png")
    (tmp_path / "1.png").symlink_to("/nowhere/1.png")
    os.mkfifo(tmp_path / "2.png")
    assert [file.name for file in list_images(tmp_path)] == ["0.png", "1.png", "2.png"]
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "0.png").symlink_to("/nowhere/0.png")
    assert list(image_folders(tmp_path)) == ["links"]


def test_two_unicode_forms_are_one_name(tmp_path: Path) -> None:
    composed, split = "caf\u00e9", "cafe\u0301"
    assert frame_name(Path(f"{split}.png")) == frame_name(Path(f"{composed}.png")) == composed
    touch(tmp_path / "a" / f"{composed}.png", tmp_path / "b" / f"{split}.png")
    touch(tmp_path / "a" / f"{split}.png")
    with pytest.raises(DataError, match="with one stem"):
        list_images(tmp_path / "a")
    touch(tmp_path / "v" / split / "0.png")
    assert list(image_folders(tmp_path / "v")) == [composed]
    touch(tmp_path / "v" / composed / "0.png")
    with pytest.raises(DataError, match="two folders are called"):
        image_folders(tmp_path / "v")
