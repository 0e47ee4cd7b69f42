"""Whether a disk knows case is found out by asking it."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsodtool.errors import UsageError
from vsodtool.media import case
from vsodtool.media.case import check_case, folds_case


@pytest.fixture
def folding(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the disk knew no case: there is what is called so in any case."""

    def is_there(path: Path) -> bool:
        return path.name.casefold() in {each.name.casefold() for each in path.parent.iterdir()}

    monkeypatch.setattr(case, "_is_there", is_there)


@pytest.fixture(params=["names", "digits", "nothing", "to be made"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Folders that hold names with letters, others, or none; one that is not there yet."""
    if request.param in ("names", "digits"):
        (tmp_path / {"names": "Notes.txt", "digits": "001"}[request.param]).touch()
    return tmp_path / "new/out" if request.param == "to be made" else tmp_path


def test_a_disk_that_knows_case(folder: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    if (tmp_path / "a").touch() is None and (tmp_path / "A").exists():
        pytest.skip("this disk knows none")
    (tmp_path / "a").unlink()
    assert not folds_case(folder)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.usefixtures("folding")
def test_a_disk_that_knows_no_case(folder: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    assert folds_case(folder)
    assert sorted(tmp_path.rglob("*")) == before


def test_both_names_beside_each_other_say_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "A").touch()
    if len(list(tmp_path.iterdir())) < 2:
        pytest.skip("this disk knows no case")
    assert not folds_case(tmp_path)


@pytest.mark.usefixtures("folding")
def test_names_that_would_be_one_are_refused(tmp_path: Path) -> None:
    check_case(tmp_path, ["cat", "dog"], "the videos")
    with pytest.raises(UsageError, match="the videos 'Cat' and 'cat' differ only in case, and ") as caught:
        check_case(tmp_path, ["Cat", "dog", "cat"], "the videos")
    assert str(tmp_path) in caught.value.message
    assert "rename" in caught.value.hint


def test_the_disk_is_asked_only_where_it_matters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []
    monkeypatch.setattr(case, "folds_case", lambda folder: bool(asked.append(folder)))
    check_case(tmp_path, ["cat", "dog"], "the videos")
    assert asked == []
    check_case(tmp_path, ["cat", "Cat"], "the videos")
    assert asked == [tmp_path]
