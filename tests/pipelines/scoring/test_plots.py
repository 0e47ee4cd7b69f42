"""Which pictures are written, and what of the scores stands in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.pipelines.scoring.test_report import report
from vsodtool.config.protocols import PROTOCOLS
from vsodtool.pipelines.scoring.plots import plot_files, write_plots


def test_the_files_of_each_protocol() -> None:
    pytest.importorskip("matplotlib")
    names = [file.name for file in plot_files(Path("d"), ["m"], PROTOCOLS["davsod"])]
    assert names == ["pr.png", "f.png", "curves.csv", "videos.png", "worst.png"]
    names = [file.name for file in plot_files(Path("d"), ["a/out", "b c"], PROTOCOLS["davis"])]
    assert names == ["videos.png", "worst-a_out.png", "worst-b_c.png"]


def test_bars_are_those_of_the_measures_and_a_value_that_is_not_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    drawn: list[Any] = []
    monkeypatch.setattr("vsodtool.pipelines.scoring.plots.draw_bars", lambda *given: drawn.append(given))
    found = report("m", "n")
    found.methods[1].videos["w"].pop("j_mean")  # as stability may be absent
    write_plots(tmp_path, found)
    ((path, videos, panels, title),) = drawn
    assert (path, set(videos), title) == (
        tmp_path / "videos.png",
        {"v", "w"},
        "Per video: set, protocol davis",
    )
    assert [panel.title for panel in panels] == ["J mean ↑"]
    values = dict(zip(videos, panels[0].values["n"], strict=True))
    assert values["v"] == 0.5
    assert np.isnan(values["w"])
