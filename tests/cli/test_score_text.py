"""Scores as text: columns, directions, what is marked as the best."""

from __future__ import annotations

from dataclasses import replace

from tests.pipelines.scoring.test_report import report
from vsodtool.cli.score_text import Row, latex_rows, markdown_table, plain_table, score_rows


def test_columns_are_those_that_some_method_has() -> None:
    header, rows = score_rows(report("m", "n"))
    assert header == ["method", "frames", "J"]
    assert [(row.name, row.cells) for row in rows] == [("m", ("5", "0.5000")), ("n", ("5", "0.5000"))]
    assert rows[0].best == rows[1].best == frozenset({1}), "equal ones are both the best"


def test_one_method_has_a_row_for_each_video_and_average() -> None:
    header, rows = score_rows(report("m"))
    assert header == ["video", "frames", "J"]
    names = ["v", "w", "davis (videos)", "average (frames)", "empty truth", "without those"]
    assert [row.name for row in rows] == names
    assert [row.cells[-1] for row in rows] == ["0.5000", "0.5000", "0.5000", "0.4000", "-", "0.6000"]
    assert [row.is_total for row in rows] == [False, False, True, True, True, True]


def test_the_lower_loss_is_the_best() -> None:
    found = report("m", "n")
    better, worse = (
        replace(method, scores={"j_mean": 0.5, "j_decay": decay})
        for method, decay in zip(found.methods, (-0.1, 0.25), strict=True)
    )
    found = replace(found, methods=(better, worse))
    _, rows = score_rows(found)
    assert [row.best for row in rows] == [frozenset({1, 2}), frozenset({1})]
    text = markdown_table(found)
    assert "| set | J mean ↑ | **.500** | **.500** |" in text
    assert "|  | J decay ↓ | **-.100** | .250 |" in text
    assert r"& $\mathcal{J}$ decay $\downarrow$ & \textbf{-.100} & .250 \\" in latex_rows(found)


def test_names_of_methods_are_no_markup() -> None:
    text = markdown_table(report("a|b_*", "n"))
    assert r"a\|b\_\*" in text
    assert r"100\%\_\textasciicircum{}" in latex_rows(report("100%_^", "n"))


def test_a_pipe_gets_aligned_columns() -> None:
    lines = plain_table(["video", "J"], [Row("a", ("0.5",)), Row("longer", ("-",))]).splitlines()
    assert len({len(line.rstrip()) for line in lines}) == 1
