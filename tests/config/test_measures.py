"""The table of measures: its orders, and what follows from a line."""

from __future__ import annotations

from importlib import import_module

import pytest

from vsodtool.config.measures import (
    MEASURE_CHOICES,
    MEASURE_NAMES,
    MEASURES,
    Measure,
    Score,
    frame_score,
    frame_score_names,
    is_lower_better,
    score_names,
    shown_measures,
    worst_measure,
)

SCORES = (
    "mae max_f mean_f adaptive_f weighted_f s_measure max_e mean_e adaptive_e iou j_mean j_recall j_decay "
    "boundary_f_mean boundary_f_recall boundary_f_decay j_and_f hce stability"
)


def test_the_scores_of_the_contract_in_their_order() -> None:
    assert " ".join(score_names()) == SCORES
    assert frame_score_names() == (*score_names()[:10], "j", "boundary_f", "hce", "stability")


def test_names_follow_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (*MEASURE_NAMES, "auto") == tuple(MEASURE_CHOICES)
    assert set(MEASURE_NAMES) == set(MEASURES)
    monkeypatch.setitem(MEASURES, "toy", Measure(compute="x:y", scores={"toy": Score()}))
    assert (MEASURE_NAMES[-1], len(MEASURE_CHOICES)) == ("toy", len(MEASURES) + 1)


def test_lower_is_better_for_errors_and_losses() -> None:
    lower = {name for name in {*score_names(), *frame_score_names()} if is_lower_better(name)}
    assert lower == {"mae", "j_decay", "boundary_f_decay", "hce"}


def test_which_measure_stands_for_others() -> None:
    assert worst_measure(("mae", "f", "s_measure")) == "s_measure"
    assert worst_measure(("stability",)) == ""
    assert (frame_score("f"), frame_score("j")) == ("max_f", "j")
    assert shown_measures(("j", "mae", "s_measure", "f")) == ["f", "s_measure", "mae", "j"]


@pytest.mark.parametrize("name", MEASURES)
def test_what_a_line_names_exists(name: str) -> None:
    line = MEASURES[name]
    for function in filter(None, (line.compute, line.summarise)):
        module, attribute = function.split(":")
        assert callable(getattr(import_module(module), attribute))
    assert line.title
