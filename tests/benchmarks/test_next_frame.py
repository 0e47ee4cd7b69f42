"""Rules share one budget; intervals are kept; where a target is reached is found by bisection."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

Script = Callable[[str], ModuleType]


class Line:
    """A video without pictures: J of a frame is 1 - hardness x reach."""

    def __init__(self, count: int, hardness: float) -> None:
        self.count, self._hardness = count, hardness

    def between(self, left: int, right: int) -> tuple[list[float], list[float]]:
        js = [self.one(left, index, right) for index in range(left + 1, right)]
        return js, [0.5] * len(js)

    def one(self, left: int, index: int, right: int) -> float:
        before, after = index - left, right - index
        far: float = before * after / (before + after)
        if left < 0 or right == self.count:
            far = after if left < 0 else before
        return max(0.0, 1 - self._hardness * far)


@pytest.fixture
def tool(script: Script) -> ModuleType:
    return script("next_frame")


def options(**changes: object) -> argparse.Namespace:
    return argparse.Namespace(**{"target": (0.8, 0.9), "most": 0.2, "limit": 0.5, **changes})


def test_the_harder_video_gets_the_labels(tool: ModuleType) -> None:
    fillers = [Line(60, 0.02), Line(60, 0.2)]
    inset = tool.needed(tool.curve("inset", fillers, options()), 0.9)
    suggest = tool.needed(tool.curve("suggest", fillers, options()), 0.9)
    oracle = tool.needed(tool.curve("oracle", fillers, options()), 0.9)
    assert oracle <= suggest < inset


@pytest.mark.parametrize("rule", ["equal", "inset", "spread", "suggest", "suggest-5", "third", "confidence"])
def test_every_rule_begins_with_two_labels_and_reaches_the_targets(tool: ModuleType, rule: str) -> None:
    points: Sequence[tuple[int, float, float, float, float]]
    points = tool.curve(rule, [Line(40, 0.1), Line(50, 0.1)], options())
    assert points[0][0] == 4
    assert [point[0] for point in points] == sorted(point[0] for point in points)
    assert points[-1][1] >= 0.9


def test_bisection_finds_the_fewest_labels(tool: ModuleType) -> None:
    fillers = [Line(40, 0.1), Line(55, 0.07)]
    points = tool.spaced(fillers, 40, (0.85,), tool.inset)
    found = tool.needed(points, 0.85)
    counts, fewest = [2, 2], None
    while fewest is None:
        placed = [tool.inset(each.count, count) for each, count in zip(fillers, counts, strict=True)]
        point = tool.measure([tool.State(each, at) for each, at in zip(fillers, placed, strict=True)])
        fewest = point.labels if point.j >= 0.85 else None
        counts[int(np.argmax([np.diff(at).max() for at in placed]))] += 1
    assert found == fewest


def test_intervals_are_kept(tool: ModuleType, boxes: Path, tmp_path: Path) -> None:
    (sequence,) = tool.find_sequences(boxes, ["quick"])
    asked = argparse.Namespace(height=24, quality="fast", work=tmp_path)
    first = tool.Filler(sequence, asked)
    filled = first.between(0, 4)
    assert len(filled.j) == len(filled.confidence) == 3
    assert first.one(0, 2, 4) == filled.j[1]
    alone = tool.Filler(sequence, argparse.Namespace(**{**vars(asked), "work": tmp_path / "other"}))
    assert alone.one(0, 2, 4) == pytest.approx(filled.j[1])  # a frame comes out alike whatever is filled
    again = tool.Filler(sequence, asked)
    again._fill = None
    assert again.between(0, 4) == filled
