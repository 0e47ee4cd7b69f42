"""The work on one video, with a method by another name in place of `--adapt`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch

from vsodtool.config import PseudoLabelConfig
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.resume import describe_run, start_or_resume
from vsodtool.media.output.run_state import ResumeState
from vsodtool.pipelines.densify.adapt import Learned
from vsodtool.pipelines.densify.choosing.hidden_labels import TrialSchedule
from vsodtool.pipelines.densify.interval import SparseVideo
from vsodtool.pipelines.densify.method import WarpMethod
from vsodtool.pipelines.densify.motion import MotionEstimators
from vsodtool.pipelines.densify.report import PseudoLabelVideoReport
from vsodtool.pipelines.densify.setup import Candidates
from vsodtool.pipelines.densify.side_by_side import Workers
from vsodtool.pipelines.densify.video import Equipment, VideoDensification
from vsodtool.types import OnEvent, ignore_event


class Other(WarpMethod):
    """Warp by another name."""

    name = "other"


class AddsOther:
    """What stands in for `--adapt`; remembers what it was shown."""

    def __init__(self) -> None:
        self.schedules: list[TrialSchedule] = []
        self.restored: list[Path] = []

    def learn(
        self,
        video: SparseVideo,
        schedule: TrialSchedule,
        candidates: Candidates,
        workers: Workers,
        on_event: OnEvent,
    ) -> Learned:
        self.schedules.append(schedule)
        return Learned(candidates.beside(Other()), {"weight": torch.zeros(1)})

    def restore(self, candidates: Candidates, path: Path) -> Candidates:
        self.restored.append(path)
        return candidates.beside(Other())


def begin(video: SparseVideo) -> ResumeState:
    layout = OutputLayout(video.spill_folder)
    return start_or_resume(
        layout,
        describe_run("labels", {}, [video.source.video], {}),
        outputs_of=lambda record: [layout.masks(record.video, record.frame)],
    )


def run(
    video: SparseVideo,
    state: ResumeState,
    exact: Any,
    adapt: AddsOther,
    on_event: OnEvent = ignore_event,
    **options: Any,
) -> PseudoLabelVideoReport:
    config = PseudoLabelConfig(inputs=("clip",), masks=("masks",), output=video.spill_folder, **options)
    candidates = Candidates({"warp": WarpMethod()}, MotionEstimators(exact, exact), "fast", "exact")
    with ThreadPoolExecutor(1) as pool, ThreadPoolExecutor(2) as drivers:
        equipment = Equipment(config, candidates, Workers(pool, drivers), adapt)
        return VideoDensification(video, state, on_event, equipment).run().report
