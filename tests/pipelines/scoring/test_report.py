"""The report as JSON."""

from __future__ import annotations

import json
from pathlib import Path

from vsodtool.config.protocols import PROTOCOLS
from vsodtool.pipelines.scoring.report import EvaluateReport, FrameCounts, MethodReport


def method(name: str) -> MethodReport:
    return MethodReport(
        name=name,
        predictions=Path("p") / name,
        frames=FrameCounts(scored=5, empty_truth=2),
        scores={"j_mean": 0.5},
        videos={"v": {"j_mean": 0.5}, "w": {"j_mean": 0.5}},
        average_over_frames={"j_mean": 0.4},
        average_over_videos={"j_mean": 0.5},
        empty_truth={},
        without_empty_truth={"j_mean": 0.6},
        curves={},
        video_frames={"v": 3, "w": 2},
        objects={"v": 2, "w": 0},
    )


def report(*names: str, void: str = "auto") -> EvaluateReport:
    methods = tuple(map(method, names))
    return EvaluateReport("davis", PROTOCOLS["davis"], void, 0, "set", Path("gt"), methods, seconds=1.23456)


def test_one_method_stands_at_the_top() -> None:
    found = report("m").as_dict()
    assert json.loads(json.dumps(found)) == found
    assert found["scores"] == {"j_mean": 0.5}
    assert found["videos"] == {
        "v": {"j_mean": 0.5, "frames": 3, "objects": 2},
        "w": {"j_mean": 0.5, "frames": 2},
    }
    assert found["without_empty_truth"] == {"frames": 3, "scores": {"j_mean": 0.6}}
    assert found["seconds"] == 1.235


def test_several_methods_stand_by_name() -> None:
    found = report("m", "n").as_dict()
    assert list(found["methods"]) == ["m", "n"]
    assert "scores" not in found


def test_choices_say_all_that_changes_a_score() -> None:
    choices = report("m").as_dict()["choices"]
    assert choices["measures"] == ["j", "boundary_f"]
    assert not {"prefers", "void"} & choices.keys()
    assert report("m", void="none").as_dict()["choices"]["void"] == "none"
