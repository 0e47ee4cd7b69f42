"""Folders with maps and folders of maps in them: what fits the other side is meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsodtool.errors import DataError
from vsodtool.media.maps.readings import settle
from vsodtool.media.maps.trees import MapTree, find_maps


def put(root: Path, *names: str) -> MapTree:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return find_maps(root)


def read(truth: MapTree, *methods: MapTree) -> list[list[str]]:
    """The files that are read, of truth and methods."""
    settled, chosen = settle(truth, methods)
    return [
        [file.relative_to(tree.folder).as_posix() for files in tree.videos.values() for file in files]
        for tree in (settled, *chosen)
    ]


def test_folders_called_alike_are_meant(tmp_path: Path) -> None:
    truth = put(tmp_path / "gt", "a/0.png", "b/0.png")
    # Two stray files of one stem say nothing.
    method = put(tmp_path / "pred", "a/0.png", "b/0.png", "0.png", "x.png", "x.jpg")
    assert read(truth, method) == [["a/0.png", "b/0.png"]] * 2
    _, (chosen,) = settle(truth, [method])
    assert "maps directly in it are left out" in chosen.notices[0]


def test_maps_that_fit_a_truth_of_one_video_are_meant(tmp_path: Path) -> None:
    truth = put(tmp_path / "gt", "0.png", "1.png")
    method = put(tmp_path / "pred", "0.png", "1.png", "debug/loss.png")
    assert read(truth, method) == [["0.png", "1.png"]] * 2
    _, (chosen,) = settle(truth, [method])
    assert chosen.flat
    assert chosen.notices == (
        f"{tmp_path / 'pred'}: the maps directly in it are read, those of its folders are left out",
    )


def test_the_folder_that_fits_a_truth_of_one_video_is_meant(tmp_path: Path) -> None:
    truth = put(tmp_path / "gt", "0.png", "1.png")
    assert read(truth, put(tmp_path / "pred", "cover.png", "maps/0.png", "maps/1.png"))[1] == [
        "maps/0.png",
        "maps/1.png",
    ]


def test_what_fits_wholly_beats_what_fits_partly(tmp_path: Path) -> None:
    truth = put(tmp_path / "gt", "0.png", "1.png")
    assert read(truth, put(tmp_path / "pred", "0.png", "1.png", "a/1.png"))[1] == ["0.png", "1.png"]


def test_where_both_fit_it_is_refused(tmp_path: Path) -> None:
    truth = put(tmp_path / "gt", "0.png", "1.png")
    method = put(tmp_path / "pred", "0.png", "1.png", "soft/0.png", "soft/1.png")
    with pytest.raises(
        DataError, match=r"pred: expected maps or folders .* both fit .*gt: 2 maps .* soft"
    ) as e:
        settle(truth, [method])
    assert str(tmp_path / "pred/soft") in e.value.hint


def test_a_truth_with_both_is_read_as_its_predictions_are(tmp_path: Path) -> None:
    truth = put(tmp_path / "gt", "0.png", "1.png", "a/5.png")
    assert read(truth, put(tmp_path / "flat", "0.png", "1.png")) == [["0.png", "1.png"]] * 2
    assert read(truth, put(tmp_path / "named", "a/5.png"))[0] == ["a/5.png"]
    both = put(tmp_path / "both", "0.png", "1.png", "a/5.png")
    assert read(truth, both) == [["a/5.png"], ["a/5.png"]]
    with pytest.raises(DataError, match=r"gt: expected maps or folders of maps, found both"):
        settle(put(tmp_path / "gt", "a/0.png"), [put(tmp_path / "x", "0.png", "5.png", "1.png")])


def test_where_nothing_fits_the_folders_are_told_of(tmp_path: Path) -> None:
    truth = put(tmp_path / "gt", "a/0.png", "b/0.png")
    assert read(truth, put(tmp_path / "pred", "c/0.png", "7.png"))[1] == ["c/0.png"]
