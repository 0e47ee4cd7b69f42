from __future__ import annotations

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest

from vsodtool.errors import UsageError
from vsodtool.media.pictures.score_plots import (
    Example,
    Line,
    Panel,
    difference,
    draw_bars,
    draw_lines,
    draw_sheet,
    require_matplotlib,
)


def test_without_matplotlib_the_way_to_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vsodtool.media.pictures.score_plots.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="matplotlib, which is not installed") as caught:
        require_matplotlib()
    assert "pip install 'vsodtool[plots]'" in caught.value.hint


def test_the_difference_is_red_blue_grey_and_white() -> None:
    prediction = np.array([[1.0, 0.0, 1.0, 0.0, 0.5]])
    truth = np.array([[False, True, True, False, False]])
    (row,) = difference(prediction, truth).tolist()
    assert row[:4] == [[213, 60, 0], [0, 90, 200], [205, 205, 205], [255, 255, 255]]
    assert row[4] == [234, 158, 128]  # half of the way from white to red


@pytest.fixture
def drawn() -> None:
    if importlib.util.find_spec("matplotlib") is None:
        pytest.skip("needs matplotlib (pip install 'vsodtool[plots]')")


@pytest.mark.usefixtures("drawn")
def test_curves_bars_and_sheets_are_pictures_of_the_data(tmp_path: Path) -> None:
    x = np.linspace(0, 1, 256)
    lines = [Line(f"method {index}", x, x**index, 3) for index in range(10)]
    draw_lines(tmp_path / "lines.png", lines, "title", "x", "y")
    panels = [Panel("S ↑", {"a": np.array([0.1, np.nan, 0.9])}), Panel("MAE ↓", {"a": np.zeros(3)})]
    draw_bars(tmp_path / "one.png", ["u", "v", "w"], panels, "title")
    both = {"a": np.array([0.2, -0.1]), "b": np.array([0.3, 0.1])}
    draw_bars(tmp_path / "two.png", ["u", "v"], [Panel("J decay ↓", both)], "title")
    example = Example("0", np.zeros((20, 30)), np.ones((20, 30), np.bool_))
    draw_sheet(tmp_path / "sheet.png", [example] * 3, "title")
    for name in ("lines", "one", "two", "sheet"):
        picture = cv2.imread(str(tmp_path / f"{name}.png"))
        assert picture is not None
        assert picture.std() > 1
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert (sheet == (200, 90, 0)).all(axis=2).any()  # BGR: the missed object, in blue


@pytest.mark.usefixtures("drawn")
def test_the_same_data_give_the_same_bytes(tmp_path: Path) -> None:
    line = Line("a", np.arange(3.0), np.array([0.0, 1.0, 0.5]))
    for name in ("a.png", "b.png"):
        draw_lines(tmp_path / name, [line], "title", "x", "y")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
