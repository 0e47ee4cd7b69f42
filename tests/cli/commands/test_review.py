"""`vsodtool review`: what its flags become, what it prints, how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import SmallClip
from tests.cli.reports import COMMON, COMMON_VALUES
from vsodtool.config import CommonConfig, ReviewConfig

Cli = Callable[..., tuple[int, str, str]]


def test_every_flag(cli: Cli, configs: list[CommonConfig]) -> None:
    flags = ["--video", "a", "--import", "f.json", "--port", "8000", "--no-browser", "--read-only"]
    assert cli("review", "out", *flags, *COMMON)[0] == 0
    assert cli("review", "out", "--html", "page.html")[0] == 0
    assert configs == [
        ReviewConfig(
            source=Path("out"), video="a", import_="f.json", port=8000, browser=False, read_only=True,
            **COMMON_VALUES,  # type: ignore[arg-type]
        ),
        ReviewConfig(source=Path("out"), html="page.html"),
    ]  # fmt: skip


def test_the_help_says_how_to_reach_it_from_elsewhere(cli: Cli) -> None:
    _, out, _ = cli("review", "--help")
    assert "ssh -L" in out


@pytest.fixture
def labels(small_clip: Callable[..., SmallClip], cli: Cli) -> Path:
    clip = small_clip(count=5)
    quick = ["--method", "warp", "--quality", "fast"]
    code, _, err = cli(
        "pseudolabel", clip.folder(), "--masks", clip.masks(0, 4), "-o", clip.root / "out", *quick
    )
    assert code == 0, err
    return clip.root / "out"


def test_a_folder_that_is_no_output_is_exit_2(cli: Cli, tmp_path: Path) -> None:
    code, out, err = cli("review", tmp_path)
    assert (code, out) == (2, "")
    assert "expected an output folder of pseudolabel or predict, or a video, found neither" in err


def test_it_serves_until_it_is_interrupted_and_prints_its_address_also_when_quiet(labels: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "vsodtool", "review", str(labels), "--no-browser", "--quiet", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1"},
    ) as process:
        try:
            assert process.stderr is not None
            address, _, token = process.stderr.readline().strip().partition("#")
            request = urllib.request.Request(f"{address}api/v/0", headers={"X-Token": token})
            with urllib.request.urlopen(request, timeout=60) as answer:
                assert json.load(answer)["width"] == 96
        finally:
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    (video,) = json.loads(out)["videos"]
    assert (video["name"], video["frames"], video["corrected"]) == ("clip", 5, 0)


def test_a_page_to_pass_on(cli: Cli, labels: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert cli("review", labels, "--html", page)[0] == 0
    text = page.read_text("utf-8")
    assert 'id="data"' in text
    assert "app.js" not in text
    code, _, err = cli("review", labels, "--html", page)
    assert code == 2
    assert "exists" in err
    assert cli("review", labels, "--html", page, "--overwrite")[0] == 0
    assert page.read_text("utf-8") == text
