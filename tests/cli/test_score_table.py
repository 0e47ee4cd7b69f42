"""The table of scores: plain in a pipe, with every digit on a narrow terminal."""

from __future__ import annotations

import sys

import pytest

from vsodtool.cli.score_table import print_scores
from vsodtool.cli.score_text import Row, plain_table

HEADER = ["video", "S"]


def rows() -> list[Row]:
    return [Row("chair", ("0.8412",), best=frozenset({0})), Row("all", ("0.8412",), is_total=True)]


def test_in_a_pipe_it_is_plain(capsys: pytest.CaptureFixture[str]) -> None:
    print_scores(HEADER, rows())
    assert capsys.readouterr().out == plain_table(HEADER, rows())


def test_on_a_narrow_terminal_no_digit_is_cut_off(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "8")
    print_scores(HEADER, rows())
    out = capsys.readouterr().out
    assert out.count("0.8412") == 2
    assert "chair" in out
