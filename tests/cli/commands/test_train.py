from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

Process = Callable[..., subprocess.CompletedProcess[str]]
Cli = Callable[..., tuple[int, str, str]]
SMALL = [
    *("--size", 64, "--epochs", 1, "--steps-per-epoch", 1, "--batch-size", 2),
    *("--device", "cpu", "--workers", 1, "--validation-share", 0.5),
]


@pytest.fixture
def stills(tmp_path: Path) -> Path:
    """Four pictures with their masks."""
    root = tmp_path / "set"
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True)
    for number in range(4):
        picture = np.random.default_rng(number).integers(0, 256, (40, 56, 3), dtype=np.uint8)
        mask = np.zeros((40, 56), np.uint8)
        mask[10:30, 10:30] = 255
        cv2.imwrite(str(root / "images" / f"picture {number}.jpg"), picture)
        cv2.imwrite(str(root / "masks" / f"picture {number}.png"), mask)
    return root


def test_one_run_as_json(cli: Cli, stills: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    line = ["train", "image", "--config", "train-image-small", "--data", stills, "-o", run, *SMALL]
    code, out, err = cli(*line, "--json")
    assert code == 0, err
    report = json.loads(out)
    assert (report["kind"], report["steps"], report["epochs"]) == ("image", 1, 1)
    assert set(report["scores"]) == {"s_measure", "j", "mae", "loss"}
    assert Path(report["weights"]).is_file()
    assert "epoch 1/1: loss" in err
    code, out, err = cli("train", "-o", run, "--resume")
    assert code == 0, err
    assert "nothing left to do" in err
    assert out.splitlines()[0].split() == ["what", "value"]


def test_a_dry_run_says_what_would_be_done(cli: Cli, stills: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    line = [
        "train",
        "image",
        "--config",
        "train-image-small",
        "--data",
        stills,
        "-o",
        run,
        *SMALL,
        "--dry-run",
    ]
    code, out, err = cli(*line)
    assert code == 0, err
    rows = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert rows["what"] == "would be"
    assert (rows["data"], rows["training_samples"], rows["validation_samples"]) == (str(stills), "3", "1")
    assert (rows["steps"], rows["epochs"], rows["start"]) == ("1", "1", "scratch")
    assert float(rows["seconds"]) > 0
    assert "about" in err
    assert not {"best_score", "best_step"} & set(rows)
    assert not run.exists()


@pytest.mark.parametrize(
    ("line", "code", "part"),
    [
        ([], 2, "no kind given"),
        (["image", "-o", "run"], 2, "no data given"),
        (["image", "--data", "d"], 2, "no output given"),
        (["audio", "--data", "d", "-o", "run"], 2, "kind: expected one of image, fgplg, video"),
        (["vidoe"], 2, "kind: expected one of image, fgplg, video"),
        (["image", "--config", "train-video-small", "--data", "d", "-o", "run"], 2, "is for `train video`"),
        (["image", "--config", "train-huge", "--data", "d", "-o", "run"], 2, "train-huge"),
        (["image", "--config", "none.yaml", "--data", "d", "-o", "run"], 2, "cannot read the configuration"),
        (["image", "--resume"], 2, "no output given"),
        (["image", "--resume", "-o", "run"], 2, "holds no training run to continue"),
        (["image", "--data", "d", "-o", "run", "--device", "cuda:99"], 5, "device"),
        (["image", "--data", "none", "-o", "run", "--device", "cpu"], 3, "none"),
    ],
)
def test_refusals(process: Process, tmp_path: Path, line: list[str], code: int, part: str) -> None:
    done = process("train", *line)
    found, out, err = done.returncode, done.stdout, done.stderr
    assert (found, out) == (code, "")
    assert part in err.splitlines()[0]
    assert err.startswith("error: ")
    assert not (tmp_path / "run").exists()


def test_a_mask_without_its_picture(cli: Cli, stills: Path, tmp_path: Path) -> None:
    (stills / "images" / "picture 2.jpg").unlink()
    code, _, err = cli("train", "image", "--data", stills, "-o", tmp_path / "run", "--device", "cpu")
    assert code == 3
    assert "picture 2" in err
    assert not (tmp_path / "run").exists()
