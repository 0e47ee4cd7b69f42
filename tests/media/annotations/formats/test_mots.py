"""MOTS' lines: ids, areas to ignore, sizes; and that YOLO's lines are none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.media.annotations.conftest import annotations_of
from vsodtool.errors import DataError
from vsodtool.media.annotations.formats.mots import is_mots_line, write_mots
from vsodtool.media.annotations.model import ReadOptions
from vsodtool.media.annotations.reading import read_annotations

DOG = "0 1001 1 8 10 95300MN02300<MG03\n"
Save = Callable[[str], Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def write(text: str) -> Path:
        (tmp_path / "clip.txt").write_text(text, "utf-8")
        return tmp_path / "clip.txt"

    return write


def test_lines_are_told_from_those_of_yolo() -> None:
    assert is_mots_line(DOG.encode())
    for line in (b"0 0.1 0.1 0.5 0.5", b"0 0.1 0.1 0.5 0.5 0.3 0.3", b"0,1,1,8,10,i1", b"", b"\xff"):
        assert not is_mots_line(line)


def test_areas_to_ignore_and_empty_lines(save: Save) -> None:
    found = read_annotations(save(f"{DOG}\n0 10000 10 8 10 i12607\n"))
    assert found.left_out == {"area to ignore": 1}
    (frame,) = found.videos[0].frames
    assert [(shape.category, shape.track) for shape in frame.shapes] == [("class_1", "1001")]
    assert (found.videos[0].name, frame.key.number, frame.key.size) == ("clip", 0, (8, 10))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("0 2001 2 9 10 i12607", "expected 10x8 like the line before, found 10x9"),
        ("0,2001,2,8,10,1 2 3", "expected frame, id, class, height, width, code, found '0,2001"),
    ],
)
def test_lines_that_are_none_are_refused(save: Save, line: str, words: str) -> None:
    with pytest.raises(DataError, match=rf"clip\.txt: line 2: {words}"):
        read_annotations(save(f"{DOG}{line}\n"))


def test_codes_are_checked_when_they_are_drawn(save: Save) -> None:
    (frame,) = read_annotations(save("3 2001 2 8 10 i12608\n")).videos[0].frames
    with pytest.raises(DataError, match=r"line 1: expected runs of 80 pixels \(10x8\), found 81"):
        frame.shapes[0].draw((8, 10))
    found = read_annotations(
        save(f"{DOG}3 2001 2 8 10 i12608\nwhatever\n"), options=ReadOptions(skip_bad=True)
    )
    assert found.left_out["unreadable"] == 2


def test_ids_are_a_thousand_times_the_class_and_a_number() -> None:
    """The tenth class is the eleventh: 10 is what is to be ignored."""
    masks = {number: np.arange(12).reshape(3, 4) == number - 1 for number in range(1, 13)}
    ((name, text),) = write_mots(annotations_of([masks]))
    assert name == "clip.txt"
    kinds = [*range(1, 10), 11, 12, 13]
    assert [line.split()[1:3] for line in text.splitlines()] == [[f"{1000 * n + 1}", f"{n}"] for n in kinds]
