from __future__ import annotations

from pathlib import Path

from vsodtool.pipelines.densify.report import PseudoLabelReport, VideoReport
from vsodtool.pipelines.detect.report import PredictReport, PredictVideoReport
from vsodtool.pipelines.flow import FlowReport, FlowVideoReport
from vsodtool.pipelines.running.reports import merge, pack, unpack


def test_a_report_comes_back_as_it_was() -> None:
    flow = FlowReport("dis", Path("out \udcff"), [FlowVideoReport("ü", 3, 2, 0, 0, 0.5)], ["lost"], 1.5)
    assert unpack(pack(flow), FlowReport) == flow
    labels = PseudoLabelReport("warp", "dis", Path("out"), [VideoReport("a", 3, 1, 2, 0, 0.5, 1.0)])
    assert unpack(pack(labels), PseudoLabelReport) == labels
    maps = PredictReport("tiny", "cpu", "fp32", Path("out"), [PredictVideoReport("a", 3, 3, 0, 0.5, 1.0)])
    assert unpack(pack(maps), PredictReport) == maps
    assert pack(flow).isascii()


def test_one_report_of_several() -> None:
    first = FlowReport("dis", Path("out"), [FlowVideoReport("b", 3, 2, 0, 0, 0.5)], ["b is cut"], 1.5)
    second = FlowReport("dis", Path("out"), [FlowVideoReport("a", 3, 1, 0, 1, 0.5)], ["a too"], 2.5)
    whole = merge([first, second])
    assert [video.name for video in whole.videos] == ["a", "b"]
    assert whole.losses == ["b is cut", "a too"]
    assert (whole.backend, whole.output, whole.seconds) == ("dis", Path("out"), 2.5)
    assert len(first.videos) == 1
