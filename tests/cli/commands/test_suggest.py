"""`vsodtool suggest` as a command: the table, JSON, names for xargs, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.cli.conftest import Cli


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    folder = tmp_path / "clip"
    folder.mkdir()
    picture = np.random.default_rng(2).integers(0, 256, (32, 40, 3), np.uint8)
    for index in range(21):
        assert cv2.imwrite(str(folder / f"{index:05d}.png"), picture)
    return folder


def test_the_table(cli: Cli, clip: Path) -> None:
    code, out, err = cli("suggest", clip, "--every", "10")
    assert code == 0
    assert out.splitlines() == [
        "#  video  frame  seconds  why",
        "1  clip   00003     0.12  one in 10 frames",
        "2  clip   00013     0.54  one in 10 frames",
    ]
    assert err == ""


def test_names_and_json(cli: Cli, clip: Path, tmp_path: Path) -> None:
    assert cli("suggest", clip, "--frames", "12,3", "--names") == (0, "clip/00003\nclip/00012\n", "")
    code, out, _ = cli("suggest", clip, "-n", "2", "--export", tmp_path / "todo", "--json", "--quiet")
    report = json.loads(out)
    assert (code, report["version"], report["frames"]) == (0, 1, 21)
    assert [each["frame"] for each in report["suggestions"]] == ["00004", "00016"]
    assert {
        "video",
        "frame",
        "index",
        "time",
        "left",
        "right",
        "confidence",
        "gain",
        "reason",
        "object",
    } == set(report["suggestions"][0])


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--frames", "21"], 2, "--frames: expected a frame of clip (00000 to 00020), found '21'"),
        (["--every", "3", "--frames", "2"], 2, "found both"),
        (["-n", "0"], 2, "number: expected"),
        (["--export", "clip/todo"], 2, "lies inside"),
    ],
)
def test_refusals(  # noqa: PLR0917
    cli: Cli, clip: Path, arguments: list[str], code: int, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(clip.parent)
    found, out, err = cli("suggest", "clip", *arguments)
    assert (found, out) == (code, "")
    assert told in err


def test_no_input(cli: Cli, tmp_path: Path) -> None:
    assert cli("suggest")[0] == 2
    assert cli("suggest", tmp_path / "nothing")[0] == 3


def test_an_output_folder(cli: Cli, clip: Path, tmp_path: Path) -> None:
    for index in (2, 9, 18):
        mask = np.zeros((32, 40), np.uint8)
        mask[8:20, 10:25] = 255
        (tmp_path / "masks").mkdir(exist_ok=True)
        assert cv2.imwrite(str(tmp_path / "masks" / f"{index:05d}.png"), mask)
    labels = tmp_path / "labels"
    arguments = ["--masks", tmp_path / "masks", "--method", "warp", "--quality", "fast", "-o", labels]
    assert cli("pseudolabel", clip, *arguments, "--quiet")[0] == 0
    code, out, err = cli("suggest", labels, "-n", "2", "--by", "error")
    assert code == 0
    header, *rows = out.splitlines()
    assert header.split() == ["#", "video", "frame", "between", "confidence", "gain", "why"]
    assert len(rows) == 2
    assert "largest expected error" in rows[0]
    assert "1 video, 21 frames, 3 given; estimated J" in err
    assert "(estimates from 1 hidden labels)" in err
    assert cli("suggest", labels, "--names", "--quiet")[1].count("clip/") == 5
    assert cli("suggest", labels, "-n", "1", "--quiet")[1].splitlines()[0].split()[3:] == [
        "between",
        "confidence",
        "why",
    ]  # a gain is known by error only
    (labels / "manifest.json").write_text(
        (labels / "manifest.json").read_text().replace("complete", "running")
    )
    code, out, err = cli("suggest", labels)
    assert (code, out) == (3, "")
    assert "expected a finished run" in err


@pytest.mark.parametrize("more", [[], ["--names"], ["--json"]])
def test_a_frame_that_cannot_be_written_is_exit_3_after_the_rest(
    cli: Cli, clip: Path, tmp_path: Path, more: list[str]
) -> None:
    (clip / "00012.png").write_bytes(b"broken")
    code, out, err = cli("suggest", clip, "--frames", "12,3", "--export", tmp_path / "todo", *more)
    assert code == 3
    assert "00003" in out
    assert "not everything could be read: clip: frame 00012" in err
    assert [path.name for path in (tmp_path / "todo/images/clip").iterdir()] == ["00003.png"]
    if more == ["--json"]:
        assert json.loads(out)["losses"][0].startswith("clip: frame 00012: ")
