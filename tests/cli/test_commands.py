"""What the flags become; the pipelines are replaced."""

from __future__ import annotations

import inspect
import json
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import pytest

from vsodtool.cli.demo import demo
from vsodtool.cli.evaluate import evaluate
from vsodtool.cli.flow import flow
from vsodtool.cli.predict import predict
from vsodtool.cli.pseudolabel import pseudolabel
from vsodtool.config import (
    CommonConfig,
    DemoConfig,
    EvaluateConfig,
    FlowConfig,
    PredictConfig,
    PseudoLabelConfig,
    options_of,
)
from vsodtool.pipelines.demo import DemoReport
from vsodtool.pipelines.flow import FlowReport, FlowVideoReport
from vsodtool.pipelines.predict import PredictReport, PredictVideoReport
from vsodtool.types import Event, OnEvent

Cli = Callable[..., tuple[int, str, str]]
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


@dataclass
class LabelReport:
    videos: list[LabelVideoReport]
    losses: list[str]
    dry_run: bool = False
    method: str = "warp"

    def as_dict(self) -> dict[str, Any]:
        return {"videos": [vars(video) for video in self.videos], "losses": self.losses}


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


@pytest.fixture
def configs(monkeypatch: pytest.MonkeyPatch) -> list[CommonConfig]:
    """The configurations that the pipelines were called with."""
    seen: list[CommonConfig] = []

    def fake(report: object) -> Callable[..., object]:
        def run(config: CommonConfig, *, on_event: OnEvent) -> object:
            seen.append(config)
            on_event(Event("notice", message="at work"))
            return report

        return run

    monkeypatch.setattr("vsodtool.pipelines.flow.run_flow", fake(FLOW_REPORT))
    monkeypatch.setattr("vsodtool.pipelines.predict.run_predict", fake(PREDICT_REPORT))
    monkeypatch.setattr("vsodtool.pipelines.demo.run_demo", fake(DEMO_REPORT))
    stand_in = types.ModuleType("pseudolabel")
    stand_in.run_pseudolabel = fake(LabelReport([LabelVideoReport()], []))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "vsodtool.pipelines.pseudolabel", stand_in)
    return seen


def test_every_flag_of_flow(cli: Cli, configs: list[CommonConfig]) -> None:
    flags = ["--backend", "dis", "--quality", "best", "--direction", "both", "--step", "2"]
    code, _, _ = cli("flow", "a.mp4", "b c", "-o", "out", *flags, "--format", "png", "--preview", *COMMON)
    assert code == 0
    assert configs == [
        FlowConfig(
            inputs=("a.mp4", "b c"),
            output=Path("out"),
            backend="dis",
            quality="best",
            direction="both",
            step=2,
            format="png",
            preview=True,
            **COMMON_VALUES,  # type: ignore[arg-type]
        )
    ]


def test_every_flag_of_pseudolabel(cli: Cli, configs: list[CommonConfig]) -> None:
    flags = [
        "--masks",
        "m",
        "--method",
        "fgplg",
        "--weights",
        "w",
        "--label-flow",
        "direct",
        "--quality",
        "fast",
        "--backend",
        "raft-small",
    ]
    switches = ["--every", "5", "--soft", "--confidence", "--overlay"]
    code, _, _ = cli("pseudolabel", "-", "-o", "out", *flags, *switches, *COMMON)
    assert code == 0
    assert configs == [
        PseudoLabelConfig(
            inputs=("-",),
            masks=Path("m"),
            output=Path("out"),
            method="fgplg",
            weights="w",
            label_flow="direct",
            quality="fast",
            backend="raft-small",
            every=5,
            soft=True,
            confidence=True,
            overlay=True,
            **COMMON_VALUES,  # type: ignore[arg-type]
        )
    ]


def test_every_flag_of_predict(cli: Cli, configs: list[CommonConfig]) -> None:
    flags = ["--weights", "w", "--clip-length", "8", "--stride", "2", "--size", "96", "--precision", "fp32"]
    switches = ["--compile", "--batch", "3", "--masks", "--overlay", "--shard", "2/4"]
    code, _, _ = cli("predict", "a.mp4", "-", "-o", "out", *flags, *switches, *COMMON)
    assert code == 0
    assert configs == [
        PredictConfig(
            inputs=("a.mp4", "-"),
            output=Path("out"),
            weights="w",
            clip_length=8,
            stride=2,
            size=96,
            precision="fp32",
            compile=True,
            batch=3,
            masks=True,
            overlay=True,
            shard="2/4",
            **COMMON_VALUES,  # type: ignore[arg-type]
        )
    ]


def test_every_flag_of_demo(cli: Cli, configs: list[CommonConfig]) -> None:
    assert cli("demo", "-o", "out", *COMMON)[0] == 0
    assert configs == [DemoConfig(output=Path("out"), **COMMON_VALUES)]  # type: ignore[arg-type]


def test_flags_that_are_not_given_leave_the_defaults_and_the_file(
    cli: Cli, configs: list[CommonConfig], tmp_path: Path
) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("inputs: [a]\noutput: o\npreview: true\nstep: 3\nworkers: 5\noverwrite: true\n")
    defaults = FlowConfig(inputs=("a",), output=Path("o"))
    assert cli("flow", "a", "-o", "o")[0] == 0
    assert configs.pop() == defaults
    assert cli("flow", "--config", file)[0] == 0
    from_file = replace(defaults, preview=True, step=3, workers=5, overwrite=True)
    assert configs.pop() == from_file
    assert cli("flow", "b", "--config", file, "--no-preview", "--step", 1, "--no-overwrite")[0] == 0
    assert configs.pop() == replace(from_file, inputs=("b",), preview=False, step=1, overwrite=False)


@pytest.mark.parametrize(
    ("command", "schema"),
    [
        (flow, FlowConfig),
        (pseudolabel, PseudoLabelConfig),
        (predict, PredictConfig),
        (evaluate, EvaluateConfig),
        (demo, DemoConfig),
    ],
)
def test_flags_and_options_of_the_configuration_are_the_same(
    command: Callable[..., None], schema: type[CommonConfig]
) -> None:
    flags = set(inspect.signature(command).parameters) - {"config", "json", "quiet", "markdown", "latex"}
    former = {each.formerly for each in options_of(schema).values() if each.formerly}
    assert flags == {field.name for field in fields(schema)} | former


def test_auto_tells_what_it_chose(
    cli: Cli, configs: list[CommonConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = [
        LabelVideoReport(hidden_j={"warp": 0.8124, "fgplg": 0.5}),
        LabelVideoReport("b", method="fgplg"),
        LabelVideoReport("c", method=""),
    ]
    report = LabelReport(chosen, [], method="auto")
    pipeline = sys.modules["vsodtool.pipelines.pseudolabel"]
    monkeypatch.setattr(pipeline, "run_pseudolabel", lambda config, *, on_event: report)
    code, out, _ = cli("pseudolabel", "a", "-o", "o", "--masks", "m")
    assert code == 0
    assert [line.split() for line in out.splitlines()] == [
        [
            "video",
            "frames",
            "given",
            "generated",
            "skipped",
            "confidence",
            "method",
            "hidden",
            "J",
            "seconds",
        ],
        ["a", "5", "2", "3", "0", "0.750", "warp", "0.812", "1.2"],
        ["b", "5", "2", "3", "0", "0.750", "fgplg", "-", "1.2"],
        ["c", "5", "2", "3", "0", "0.750", "-", "-", "1.2"],
    ]


def test_the_table_is_all_that_stdout_gets(cli: Cli, configs: list[CommonConfig]) -> None:
    code, out, err = cli("flow", "a", "-o", "o")
    assert (code, err) == (0, "at work\n")
    assert (
        out
        == "video  frames  flows  reused  missing  seconds\na           5      4       0        0      1.2\n"
    )
    _, out, _ = cli("pseudolabel", "a", "-o", "o", "--masks", "m")
    assert [line.split() for line in out.splitlines()] == [
        ["video", "frames", "given", "generated", "skipped", "confidence", "seconds"],
        ["a", "5", "2", "3", "0", "0.750", "1.2"],
    ]
    _, out, _ = cli("predict", "a", "-o", "o")
    assert [line.split() for line in out.splitlines()] == [
        ["video", "frames", "generated", "skipped", "confidence", "seconds"],
        ["a", "5", "4", "1", "0.750", "1.2"],
    ]
    _, out, _ = cli("demo")
    assert ["j", "0.900"] in [line.split() for line in out.splitlines()]
    assert ["copy_f", "-"] in [line.split() for line in out.splitlines()]


@pytest.mark.parametrize(
    "arguments",
    [
        ("flow", "a", "-o", "o"),
        ("pseudolabel", "a", "-o", "o", "--masks", "m"),
        ("predict", "a", "-o", "o"),
        ("demo",),
    ],
)
def test_json_is_exactly_one_object(
    cli: Cli, configs: list[CommonConfig], arguments: tuple[str, ...]
) -> None:
    code, out, err = cli(*arguments, "--json", "--quiet")
    assert (code, err) == (0, "")
    assert isinstance(json.loads(out), dict)


def test_losses_are_told_after_the_table(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    report = replace(FLOW_REPORT, losses=["a: frame 3: does not decode", "a: frame 4: does not decode"])
    monkeypatch.setattr("vsodtool.pipelines.flow.run_flow", lambda *_, **__: report)
    code, out, err = cli("flow", "a", "-o", "o")
    assert code == 3
    assert out.startswith("video")
    assert "error: not everything could be read: a: frame 3: does not decode (and 1 more)\n" in err
    assert "hint: what could be read is done and lies in o" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("flow", "a", "-o", "o", "--step", "x"), "'--step'"),
        (("flow", "a", "-o", "o", "--stap", "1"), "No such option: --stap"),
        (("flow", "a", "-o"), "-o"),
        (("flow", "a"), "no output given"),
        (("flow", "-o", "o"), "no input given"),
        (("flow", "a", "-o", ""), "output: expected a path"),
        (("flow", "a", "-o", "o", "--step", "0"), "step: expected a whole number of at least 1, found 0"),
        (("flow", "a", "-o", "o", "--backend", "x"), "backend: expected one of auto"),
        (("pseudolabel", "a", "-o", "o"), "no masks given"),
        (
            ("pseudolabel", "a", "-o", "o", "--masks", "m", "--quality", "good"),
            "quality: expected one of fast",
        ),
        (("predict", "a"), "no output given"),
        (("predict", "-o", "o"), "no input given"),
        (("predict", "a", "-o", "o", "--clip-length", "0"), "clip_length: expected a whole number of at"),
        (("predict", "a", "-o", "o", "--stride", "5"), "stride: expected at most the clip length, 4"),
        (("predict", "a", "-o", "o", "--size", "100"), "size: expected a multiple of 16"),
        (("predict", "a", "-o", "o", "--precision", "int8"), "precision: expected one of auto"),
        (("learn",), "No such command 'learn'"),
        ((), "no command given"),
    ],
)
def test_usage_errors(
    cli: Cli, configs: list[CommonConfig], arguments: tuple[str, ...], message: str
) -> None:
    code, out, err = cli(*arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert err.startswith("error: ")
    assert len(err.splitlines()) <= 2
    assert configs == []


def test_help_names_every_flag_and_version_is_one_line(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERMINAL_WIDTH", "200")
    for name in ("flow", "pseudolabel", "predict", "evaluate", "demo"):
        code, out, _ = cli(name, "--help")
        assert code == 0
        assert cli(name, "-h") == (0, out, "")
        for flag in (
            "--device",
            "--config",
            "--json",
            "--quiet",
            "--dry-run",
            "--overwrite",
            "--workers",
            "--seed",
        ):
            assert flag in out
    code, out, err = cli("--version")
    assert (code, err) == (0, "")
    assert out.split()[0] == "vsodtool"
    assert len(out.splitlines()) == 1
