"""The inputs of a finished run are found where it was started, and only as they were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vsodtool.errors import DataError
from vsodtool.media.images import write_png
from vsodtool.media.output.manifest import Manifest
from vsodtool.media.output.resume import describe_run
from vsodtool.media.video.inputs import discover_videos
from vsodtool.pipelines.running.earlier_inputs import find_input, start_folder


def run_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Manifest:
    """The manifest of a run with relative paths that was started in a folder."""
    for index in range(3):
        write_png(folder / "clips" / "a" / f"{index}.png", np.full((8, 8, 3), index, np.uint8))
    monkeypatch.chdir(folder)
    return describe_run("predict", {"output": Path("sub/out")}, discover_videos(["clips"]), {})


def test_from_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = run_in(tmp_path / "there", monkeypatch)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    out = tmp_path / "there" / "sub" / "out"
    assert start_folder(out, manifest) == tmp_path / "there"
    assert find_input(out, manifest, "a").path == tmp_path / "there" / "clips" / "a"
    assert start_folder(tmp_path / "moved", manifest) == Path()
    with pytest.raises(DataError, match="expected its input 'a' at clips/a, found nothing there"):
        find_input(tmp_path / "moved", manifest, "a")


def test_a_changed_input_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = run_in(tmp_path / "there", monkeypatch)
    (tmp_path / "there" / "clips" / "a" / "1.png").write_bytes(b"other")
    with pytest.raises(DataError, match=r"the video 'a' .* has changed since"):
        find_input(Path("sub/out"), manifest, "a")
