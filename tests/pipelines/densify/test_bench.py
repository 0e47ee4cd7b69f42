"""A video labelled in parts, as workers do it, comes out as one that was labelled at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vsodtool.config import PseudoLabelConfig
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.resume import describe_run, start_or_resume
from vsodtool.media.output.run_state import ResumeState
from vsodtool.pipelines.densify.bench import LabelBench, LabelTask
from vsodtool.pipelines.densify.interval import SparseVideo
from vsodtool.pipelines.densify.method import WarpMethod
from vsodtool.pipelines.densify.updating.tools import Tools
from vsodtool.pipelines.running.shots import NO_CUTS
from vsodtool.types import FrameStatus, ignore_event


def begin(layout: OutputLayout, video: SparseVideo) -> ResumeState:
    return start_or_resume(
        layout,
        describe_run("labels", {}, [video.source.video], {}),
        outputs_of=lambda record: [layout.masks(record.video, record.frame)],
    )


def masks(layout: OutputLayout) -> list[bytes]:
    return [path.read_bytes() for path in sorted((layout.root / "masks/clip").iterdir())]


def test_parts_are_the_bytes_of_the_whole(video: SparseVideo, exact: Any, tmp_path: Path) -> None:
    task = LabelTask(
        video.source.video, 13, divisible=True, masks=video.masks, doubts=["why not"], cuts=NO_CUTS
    )
    outputs = {name: OutputLayout(tmp_path / name) for name in ("whole", "parts")}
    reports = {}
    for name, layout in outputs.items():
        config = PseudoLabelConfig(
            inputs=("clip",), masks=("masks",), output=layout.root, method="warp", device="cpu", workers=1
        )
        with (
            Tools(config, estimator=exact, methods=[WarpMethod()]) as tools,
            begin(layout, video) as state,
        ):
            bench = LabelBench(config, tools, tools.candidates(ignore_event))
            if name == "parts":
                division = bench.begin(task, state, ignore_event, 4, [])
                assert division.questions == ()
                assert [len(group) for group in division.groups] == [3, 3, 3]
                assert set(state.journal.records("clip")) == {f"{index:05d}" for index in (0, 4, 8, 12)}
                for group in reversed(division.groups):
                    bench.fill(task, group, state, ignore_event)
                    assert {*group} <= state.journal.records("clip").keys()
            outcome = bench.make(task, state, ignore_event)
            reports[name] = (outcome.report.given, outcome.report.generated, outcome.report.doubts)
            assert [record.status for record in outcome.records].count(FrameStatus.GENERATED) == 9
    assert reports["whole"] == reports["parts"] == (4, 9, ["why not"])
    assert masks(outputs["whole"]) == masks(outputs["parts"])
    assert len(masks(outputs["whole"])) == 13
