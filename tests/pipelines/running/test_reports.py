from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from vsodtool.pipelines.flow import FlowReport, FlowVideoReport
from vsodtool.pipelines.predict import PredictReport, PredictVideoReport
from vsodtool.pipelines.pseudolabel import PseudoLabelReport, PseudoLabelVideoReport
from vsodtool.pipelines.running.reports import merge, pack, unpack


def flow_report(video: FlowVideoReport, loss: str, seconds: float, output: str = "out") -> FlowReport:
    return FlowReport(backend="dis", output=Path(output), videos=[video], losses=[loss], seconds=seconds)


def test_a_report_comes_back_as_it_was() -> None:
    flow = flow_report(FlowVideoReport("ü", 3, 2, 0, 0, 0.5), "lost", 1.5, "out \udcff")
    assert unpack(pack(flow), FlowReport) == flow
    videos = [PseudoLabelVideoReport("a", 3, 1, 2, 0, 0.5, 1.0, hidden=["b"], hidden_j={"warp": 0.5})]
    labels = PseudoLabelReport(method="warp", flow="dis", output=Path("out"), videos=videos)
    assert unpack(pack(labels), PseudoLabelReport) == labels
    found = [PredictVideoReport("a", 3, 3, 0, 0.5, 1.0)]
    maps = PredictReport(weights="tiny", device="cpu", precision="fp32", output=Path("out"), videos=found)
    assert unpack(pack(maps), PredictReport) == maps
    assert pack(flow).isascii()


def test_one_report_of_several() -> None:
    first = flow_report(FlowVideoReport("b", 3, 2, 0, 0, 0.5), "b is cut", 1.5)
    second = flow_report(FlowVideoReport("a", 3, 1, 0, 1, 0.5), "a too", 2.5)
    whole = merge([first, second])
    assert [video.name for video in whole.videos] == ["a", "b"]
    assert whole.losses == ["b is cut", "a too"]
    assert (whole.backend, whole.output, whole.seconds) == ("dis", Path("out"), 2.5)
    assert len(first.videos) == 1


def test_json_begins_with_what_is_the_verbs_own() -> None:
    report = flow_report(FlowVideoReport("a", 3, 2, 0, 0, 0.5), "lost", 1.5).as_dict()
    assert list(report) == ["backend", "output", "videos", "losses", "not_made", "seconds", "dry_run"]
    assert report["output"] == "out"
    assert list(report["videos"][0])[:3] == ["name", "frames", "flows"]


def test_what_a_dry_run_cannot_say_is_null() -> None:
    videos = [
        PseudoLabelVideoReport("a", 9, 2, 7, 0, 0.0, 0.0),
        PseudoLabelVideoReport("b", 9, 2, 7, 0, 0.0, 1.5),
    ]
    report = PseudoLabelReport(method="warp", flow="dis", output=Path("out"), videos=videos)
    told = replace(report, dry_run=True).as_dict()
    assert [(each["confidence"], each["seconds"]) for each in told["videos"]] == [(None, None), (None, 1.5)]
    assert told["seconds"] is None
    assert told["videos"][0]["skipped"] == 0
    done = report.as_dict()
    assert (done["seconds"], done["videos"][0]["confidence"]) == (0.0, 0.0)
