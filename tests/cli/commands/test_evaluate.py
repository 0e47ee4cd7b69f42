"""`vsodtool evaluate`: flags, streams, tables, and what is refused."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from vsodtool.config import EvaluateConfig

Cli = Callable[..., tuple[int, str, str]]
Process = Callable[..., subprocess.CompletedProcess[str]]


def put(
    folder: Path, count: int, *, shift: int = 0, start: int = 0, size: tuple[int, int] = (20, 30)
) -> Path:
    """Masks of a square, moved by some pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        mask = np.zeros(size, np.uint8)
        mask[4:14, 4 + index + shift : 14 + index + shift] = 255
        assert cv2.imwrite(str(folder / f"{index + start:05d}.png"), mask)
    return folder


@pytest.fixture
def trees(tmp_path: Path) -> Path:
    """Truth `gt`, a good method `good` and a bad one `bad`, two videos each."""
    for name, count in (("walk", 4), ("run", 5)):
        put(tmp_path / "gt" / name, count)
        put(tmp_path / "good" / name, count, shift=1)
        put(tmp_path / "bad" / name, count, shift=5)
    return tmp_path


def test_every_flag(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[EvaluateConfig] = []

    def stop(config: EvaluateConfig, **_: object) -> None:
        seen.append(config)
        raise KeyboardInterrupt

    monkeypatch.setattr("vsodtool.pipelines.evaluate.run_evaluate", stop)
    choices = ["--protocol", "davis", "--measures", "j,mae", "--measures", "f", "--every", 5, "--skip-given"]
    choices += ["--normalize", "min-max", "--drop-ends", "--average", "frame", "--objects", "single"]
    choices += ["--f-measure", "frame-curves", "--threshold", "0.25"]
    allowed = ["--allow-missing", "--allow-extra", "--allow-resize"]
    written = ["--csv", "s.csv", "--plots", "p", "--name", "DAVIS"]
    common = ["--device", "cpu", "--workers", "3", "--seed", "7", "--overwrite", "--dry-run"]
    cli("evaluate", "a", "b", "--ground-truth", "gt", *choices, *allowed, *written, *common)
    assert seen == [
        EvaluateConfig(
            predictions=("a", "b"),
            ground_truth="gt",
            protocol="davis",
            measures=("j", "mae", "f"),
            every=5,
            skip_given=True,
            normalize="min-max",
            ends="drop",
            average="frame",
            objects="single",
            f_measure="frame-curves",
            threshold=0.25,
            allow_missing=True,
            allow_extra=True,
            allow_resize=True,
            csv="s.csv",
            plots="p",
            name="DAVIS",
            device="cpu",
            workers=3,
            seed=7,
            overwrite=True,
            dry_run=True,
        )
    ]
    cli("evaluate", "a", "gt", "--keep-ends")
    assert seen[1] == EvaluateConfig(predictions=("a", "gt"), ends="keep")


def test_a_table_of_videos_in_a_pipe(process: Process, trees: Path) -> None:
    done = process("evaluate", trees / "good", trees / "gt", "--protocol", "pysod")
    assert done.returncode == 0
    lines = [line.split("  ") for line in done.stdout.splitlines()]
    assert [line[0] for line in lines] == [
        "video",
        "run",
        "walk",
        "pysod (frames)",
        "average (videos)",
    ]
    assert done.stdout.splitlines()[0].split() == [
        "video", "frames", "MAE", "maxF", "meanF", "wF", "S", "maxE", "meanE",
    ]  # fmt: skip
    assert "\x1b" not in done.stdout
    assert "pysod: 9 frames of 2 videos" in done.stderr
    assert process("evaluate", trees / "good", trees / "gt", "--quiet").stderr == ""


def test_json_has_the_shape_of_the_contract(process: Process, trees: Path) -> None:
    done = process("evaluate", trees / "good", trees / "gt", "--json")
    content = json.loads(done.stdout)
    assert {"protocol", "choices", "scores", "videos", "average_over_frames"} <= set(content)
    assert content["protocol"] == "davsod"
    saliency = {
        "mae",
        "max_f",
        "mean_f",
        "adaptive_f",
        "weighted_f",
        "s_measure",
        "max_e",
        "mean_e",
        "adaptive_e",
    }
    for scores in (content["scores"], content["average_over_frames"], content["average_over_videos"]):
        assert set(scores) == saliency | {"iou"}
    assert set(content["videos"]) == {"run", "walk"}
    assert set(content["videos"]["run"]) >= saliency
    assert content["choices"]["ends"] == "drop"
    davis = json.loads(
        process("evaluate", trees / "good", trees / "gt", "--protocol", "davis", "--json").stdout
    )
    kinds = [f"{kind}_{what}" for kind in ("j", "boundary_f") for what in ("mean", "recall", "decay")]
    assert set(kinds) <= set(davis["scores"])


def test_several_methods_give_one_table(cli: Cli, trees: Path) -> None:
    code, out, _ = cli("evaluate", trees / "bad", trees / "good", "--ground-truth", trees / "gt")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["method", "bad", "good"]
    code, out, _ = cli("evaluate", trees / "bad", trees / "good", "--ground-truth", trees / "gt", "--json")
    methods = json.loads(out)["methods"]
    assert methods["good"]["scores"]["mae"] < methods["bad"]["scores"]["mae"]


def test_markdown_and_latex_have_the_layout_of_the_papers_table(cli: Cli, trees: Path) -> None:
    both: tuple[Any, ...] = (trees / "bad", trees / "good", "--ground-truth", trees / "gt", "--name", "D_1")
    _, out, _ = cli("evaluate", *both, "--markdown")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in out.splitlines()]
    assert rows[0] == ["data set", "measure", "bad", "good"]
    assert [row[:2] for row in rows[2:]] == [["D\\_1", "max F ↑"], ["", "S ↑"], ["", "MAE ↓"]]
    assert all(row[3].startswith("**.") and row[2].startswith(".") for row in rows[2:])
    _, out, _ = cli("evaluate", *both, "--latex")
    lines = out.splitlines()
    assert lines[1] == r"Data set & Metric & bad & good \\"
    assert lines[3].startswith(r"\multirow{3}{*}{D\_1} & $F_\beta^{\max}\uparrow$ & .")
    assert all(line.count("&") == 3 and line.endswith(r"\\") for line in lines[3:])
    assert r"\textbf{." in lines[3].split("&")[3]
    code, _, err = cli("evaluate", *both, "--latex", "--json")
    assert (code, "exclude each other" in err) == (2, True)


def test_a_terminal_gets_rules_and_the_best_in_bold(
    cli: Cli, trees: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    for name, value in (("TERM", "xterm-256color"), ("COLUMNS", "100"), ("FORCE_COLOR", "1")):
        monkeypatch.setenv(name, value)
    _, out, _ = cli("evaluate", trees / "bad", trees / "good", "--ground-truth", trees / "gt", "--quiet")
    assert "─" in out
    (good,) = [line for line in out.splitlines() if line.strip().startswith("good")]
    (bad,) = [line for line in out.splitlines() if line.strip().startswith("bad")]
    assert "\x1b[1m" in good
    assert "\x1b[1m" not in bad


def test_a_narrow_terminal_cuts_no_digit_and_no_name(
    cli: Cli, trees: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    for name, value in (("TERM", "xterm"), ("COLUMNS", "40"), ("NO_COLOR", "1")):
        monkeypatch.setenv(name, value)
    _, out, _ = cli("evaluate", trees / "good", trees / "gt", "--quiet")
    shown = re.sub(r"\x1b\[[0-9;]*m", "", out)  # bold takes no columns
    (line,) = [line for line in shown.splitlines() if line.strip().startswith("davsod (videos)")]
    assert len(line.split()) == 2 + 1 + 7
    assert all(len(cell) == 6 for cell in line.split()[3:])
    assert max(len(line.rstrip()) for line in shown.splitlines()) <= 80


def test_empty_truth_has_its_own_lines(cli: Cli, trees: Path) -> None:
    assert cv2.imwrite(str(trees / "gt" / "run" / "00002.png"), np.zeros((20, 30), np.uint8))
    _, out, _ = cli("evaluate", trees / "good", trees / "gt")
    rows = {line[:11].strip(): line.split() for line in out.splitlines()}
    assert rows["empty truth"][2] == "1"
    assert rows["without tho"][2] == "4"


def spoil_missing(root: Path) -> None:
    (root / "good" / "run" / "00003.png").unlink()


def spoil_extra(root: Path) -> None:
    put(root / "good" / "run", 1, start=17)


def spoil_size(root: Path) -> None:
    put(root / "good" / "run", 5, size=(10, 30))


def spoil_video(root: Path) -> None:
    (root / "good" / "run").rename(root / "good" / "jump")
    (root / "good" / "walk").rename(root / "good" / "stand")


def spoil_numbers(root: Path) -> None:
    for index in reversed(range(5)):
        (root / "good" / "run" / f"{index:05d}.png").rename(root / "good" / "run" / f"{index + 1:05d}.png")


def spoil_file(root: Path) -> None:
    (root / "good" / "run" / "00002.png").write_bytes(b"\x89PNG\r\n\x1a\n")


@pytest.mark.parametrize(
    ("spoil", "message", "hint"),
    [
        (spoil_missing, "expected a prediction for each of the 5 frames", "--allow-missing"),
        (spoil_extra, "found also '00017'", "--allow-extra"),
        (spoil_size, "00001.png: expected 30x20 like", "--allow-resize"),
        (spoil_video, "have no video in common", "called alike"),
        (spoil_numbers, "predictions are numbered from 1, the truth in", "subtract 1 from each number"),
        (spoil_file, "00002.png: expected a mask, found a file that cannot be read", "replace the file"),
    ],
)
def test_bad_input_is_refused_in_two_lines(
    process: Process, trees: Path, spoil: Callable[[Path], None], message: str, hint: str
) -> None:
    spoil(trees)
    done = process("evaluate", trees / "good", trees / "gt", "--csv", "s.csv", "--quiet")
    assert (done.returncode, done.stdout) == (3, "")
    error, advice = done.stderr.splitlines()
    assert error.startswith("error: ")
    assert message in error
    assert hint in advice
    assert not (trees / "s.csv").exists()
    assert not list(trees.glob(".*tmp"))


def test_a_csv_that_cannot_be_written_costs_the_exit_status_not_the_table(cli: Cli, trees: Path) -> None:
    (trees / "file").write_text("")
    code, out, err = cli(
        "evaluate", trees / "good", trees / "gt", "--csv", trees / "file" / "s.csv", "--quiet"
    )
    assert (code, out) == (5, cli("evaluate", trees / "good", trees / "gt", "--quiet")[1])
    assert "the scores are complete" in err


@pytest.mark.parametrize("flag", ["--allow-missing", "--allow-extra", "--allow-resize"])
def test_what_is_allowed_is_warned_of_and_counted(cli: Cli, trees: Path, flag: str) -> None:
    {"--allow-missing": spoil_missing, "--allow-extra": spoil_extra, "--allow-resize": spoil_size}[flag](
        trees
    )
    code, out, err = cli("evaluate", trees / "good", trees / "gt", flag, "--json", "--quiet")
    frames = json.loads(out)["frames"]
    count = {"--allow-missing": "missing", "--allow-extra": "extra", "--allow-resize": "resized"}[flag]
    assert code == 0
    assert frames[count] == (3 if count == "resized" else 1)
    assert err.startswith("warning: ")


def test_plots_without_matplotlib_say_how_to_get_it(
    cli: Cli, trees: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vsodtool.media.pictures.score_plots.find_spec", lambda name: None)
    code, out, err = cli("evaluate", trees / "good", trees / "gt", "--plots", trees / "plots")
    assert (code, out) == (2, "")
    assert "pip install 'vsodtool[plots]'" in err
    assert not (trees / "plots").exists()


def test_the_published_figures_on_the_command_line(process: Process, shared: Path) -> None:
    folders = shared / "reference" / "sod-dss", shared / "data" / "sod" / "masks"
    done = process("evaluate", *folders, "--protocol", "toolbox", "--measures", "mae,f,s_measure", "--json")
    scores = json.loads(done.stdout)["scores"]
    assert [round(scores[name], 3) for name in ("max_f", "mean_f", "mae", "s_measure")] == [
        0.844, 0.795, 0.121, 0.751,
    ]  # fmt: skip
