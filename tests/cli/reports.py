"""Made-up reports of runs, and options that every command has."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vsodtool.pipelines.demo import DemoReport
from vsodtool.pipelines.flow import FlowReport, FlowVideoReport
from vsodtool.pipelines.predict import PredictReport, PredictVideoReport
from vsodtool.pipelines.review import ReviewReport, ReviewVideoReport

COMMON = ["--device", "cpu", "--workers", "3", "--seed", "7", "--overwrite", "--dry-run"]
COMMON_VALUES = {"device": "cpu", "workers": 3, "seed": 7, "overwrite": True, "dry_run": True}
FLOW_REPORT = FlowReport(
    backend="dis", output=Path("o"), videos=[FlowVideoReport("a", 5, 4, 0, 0, 1.25)], seconds=1.5
)
PREDICT_REPORT = PredictReport(
    weights="small",
    device="cpu",
    precision="bf16",
    output=Path("o"),
    videos=[PredictVideoReport("a", 5, 4, 1, 0.75, 1.25)],
    seconds=1.5,
)
REVIEW_REPORT = ReviewReport(Path("o"), videos=[ReviewVideoReport("a", 5, 2, 1, 1, 0)])
DEMO_REPORT = DemoReport(
    output=Path("o"),
    picture=Path("o/picture.png"),
    video=Path("o/labels/overlay/frames.mp4"),
    frames=9,
    given=3,
    generated=6,
    j=0.9,
    f=0.875,
    copy_j=0.5,
    copy_f=None,
    seconds=1.0,
)


@dataclass
class LabelVideoReport:
    name: str = "a"
    frames: int = 5
    given: int = 2
    generated: int = 3
    skipped: int = 0
    confidence: float = 0.75
    seconds: float = 1.25
    method: str = "warp"
    hidden_j: dict[str, float] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)
    worst: dict[str, float] = field(default_factory=dict)
    objects: dict[str, str] = field(default_factory=dict)


@dataclass
class LabelReport:
    videos: list[LabelVideoReport]
    losses: list[str]
    dry_run: bool = False
    method: str = "warp"

    def as_dict(self) -> dict[str, Any]:
        return {"videos": [vars(video) for video in self.videos], "losses": self.losses}
