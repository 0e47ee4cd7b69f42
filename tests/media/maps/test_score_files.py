from __future__ import annotations

import csv
from pathlib import Path

import pytest

from vsodtool.errors import DeviceError, UsageError
from vsodtool.media.maps.score_files import check_new_files, score_table, videos_csv


def test_rows_come_back_with_twelve_digits(tmp_path: Path) -> None:
    path = tmp_path / "new" / "scores.csv"
    with score_table(path, ("video", "frame", "missing", "mae")) as table:
        table.add({"video": 'a, "b"', "frame": "0\r", "missing": True, "mae": 1 / 3})
        table.add({"video": "c", "frame": "1", "missing": False})
        assert not path.exists()
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows == [
        {"video": 'a, "b"', "frame": "0\r", "missing": "1", "mae": "0.333333333333"},
        {"video": "c", "frame": "1", "missing": "0", "mae": ""},
    ]


def test_an_error_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail() -> None:
        with score_table(tmp_path / "s.csv", ("a",)) as table:
            table.add({"a": 1})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DeviceError), score_table(tmp_path / "file" / "s.csv", ("a",)):
        pass


def test_the_file_of_the_videos_lies_beside_that_of_the_frames() -> None:
    assert videos_csv(Path("a/scores.csv")) == Path("a/scores-videos.csv")
    assert videos_csv(Path("scores")) == Path("scores-videos")


def test_what_is_there_is_not_replaced_without_a_word(tmp_path: Path) -> None:
    file = tmp_path / "s.csv"
    check_new_files([file], [tmp_path / "in"], overwrite=False)
    file.touch()
    with pytest.raises(UsageError, match="exists") as caught:
        check_new_files([file], [], overwrite=False)
    assert "--overwrite" in caught.value.hint
    check_new_files([file], [], overwrite=True)
    with pytest.raises(UsageError, match="found a folder"):
        check_new_files([tmp_path], [], overwrite=True)


def test_the_inputs_are_never_written_to(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "in")
    for folder in ("in", "link"):
        with pytest.raises(UsageError, match="lies inside the input"):
            check_new_files([tmp_path / folder / "s.csv"], [tmp_path / "in"], overwrite=True)
