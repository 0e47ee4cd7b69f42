"""The comparison of outputs notices every kind of change, and leaves out what is no result."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

# Stands in for vsodtool: writes its own command line where -o says, and a report of `evaluate`.
STUB = f"""#!{sys.executable}
import json, sys
from pathlib import Path
words = sys.argv[1:]
if "-o" in words:
    output = Path(words[words.index("-o") + 1])
    (output / "flow").mkdir(parents=True)
    (output / "flow" / "0.flo").write_text(output.name + VERSION)
    (output / "manifest.json").write_text("{{}}")
    (output / ".lock").touch()
else:
    print(json.dumps({{"seconds": 1.5, "ground_truth": "x", "methods": {{"a": {{"mae": 0.12345649}}}}}}))
"""


@pytest.fixture
def tool(script: Callable[[str], ModuleType]) -> ModuleType:
    return script("same_outputs")


def test_all_kinds_of_differences(tool: ModuleType, tmp_path: Path) -> None:
    before = {"flow/a.flo": "1", "flow/b.flo": "2", "predict/c.png": "3", "predict/d.png": "4"}
    after = {"flow/a.flo": "1", "flow/b.flo": "0", "predict/d.png": "4", "predict/e f.png": "5"}
    lines = ["differs  flow/b.flo", "missing  predict/c.png", "new      predict/e f.png"]
    assert tool.differences(before, after) == lines
    assert tool.differences(before, before) == []
    tool.write_record(tmp_path / "record", after)
    assert tool.read_record(tmp_path / "record", ["flow", "predict"]) == after
    assert tool.read_record(tmp_path / "record", ["predict"]) == {
        "predict/d.png": "4",
        "predict/e f.png": "5",
    }


def test_manifests_and_hidden_files_are_no_results(tool: ModuleType, tmp_path: Path) -> None:
    for name in ("flow/x/a.flo", "flow/x/manifest.json", "flow/x/.lock", "predict/frames.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    assert tool.fingerprints(tmp_path, ["flow"]) == {
        "flow/x/a.flo": hashlib.sha256(b"flow/x/a.flo").hexdigest()
    }


def test_reports_without_paths_and_times(tool: ModuleType) -> None:
    report = {
        "seconds": 2.0,
        "ground_truth": "/a",
        "methods": {"m": {"predictions": "/b", "scores": {"mae": 0.1 + 0.2, "j_decay": -1e-9, "n": None}}},
        "missing_videos": ["v"],
        "choices": {"threshold": 0.5, "every": 0},
    }
    kept = tool.scores_only(report)
    assert json.dumps(kept, sort_keys=True) == (
        '{"choices": {"every": 0, "threshold": 0.5}, '
        '"methods": {"m": {"scores": {"j_decay": 0.0, "mae": 0.3, "n": null}}}, "missing_videos": ["v"]}'
    )


def test_objects_are_two_in_the_first_and_eleventh_mask(tool: ModuleType, tmp_path: Path) -> None:
    for index in range(12):
        mask = np.zeros((6, 10), np.uint8)
        mask[1:4, 2:8] = 255
        for kind, suffix in (("Annotations", "png"), ("JPEGImages", "jpg")):
            (tmp_path / kind / "v").mkdir(parents=True, exist_ok=True)
            assert cv2.imwrite(str(tmp_path / kind / "v" / f"{index:05d}.{suffix}"), mask)
    masks = tool.make_objects(tmp_path, tmp_path / "objects")
    assert sorted(path.name for path in (masks / "v").iterdir()) == ["00000.png", "00010.png"]
    expected = np.zeros((6, 10), np.uint8)
    expected[1:4, 2:5], expected[1:4, 5:8] = 1, 2
    found = cv2.imread(str(masks / "v" / "00010.png"), cv2.IMREAD_GRAYSCALE)
    np.testing.assert_array_equal(found, expected)


def test_a_changed_tool_is_found(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data, record = tmp_path / "data", tmp_path / "record"
    for kind, suffix in (("Annotations", "png"), ("JPEGImages", "jpg")):
        (data / "davis-dev" / kind / "v").mkdir(parents=True)
        for index in range(3):
            (data / "davis-dev" / kind / "v" / f"{index}.{suffix}").touch()

    def run(version: str, *options: object) -> None:
        stub = tmp_path / "stub"
        stub.write_text(STUB.replace("VERSION", repr(version)))
        stub.chmod(0o755)
        words = ["--vsodtool", stub, "--data", data, "--sequences", "v", "--only", "flow", *options]
        monkeypatch.setattr(sys, "argv", ["same_outputs.py", *map(str, words)])
        tool.main()

    run("1", "--record", record)
    lines = record.read_text().splitlines()
    names = [line.split("  ")[1] for line in lines]
    assert names == sorted(names)
    assert "flow/best/flow/0.flo" in names
    assert f"{hashlib.sha256(b'best1').hexdigest()}  flow/best/flow/0.flo" in lines
    with pytest.raises(SystemExit) as same:
        run("1", "--compare", record)
    assert same.value.code == 0
    with pytest.raises(SystemExit) as other:
        run("2", "--compare", record, "--keep", tmp_path / "kept")
    assert other.value.code == 1
    assert "differs  flow/best/flow/0.flo" in capsys.readouterr().out
    assert (tmp_path / "kept" / "flow" / "best" / "flow" / "0.flo").read_text() == "best2"
    with pytest.raises(SystemExit) as some:
        run("2", "--compare", record, "--only", "flow/npz")
    assert some.value.code == 1
    assert "1 files, 1 not as in" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="no such runs: flow/np, fly"):
        run("1", "--compare", record, "--only", "flow/np,flow,fly")
    record.unlink()
    with pytest.raises(SystemExit) as lost:
        run("1", "--compare", record)
    assert lost.value.code == 2


def test_a_command_that_fails_ends_the_run(tool: ModuleType, tmp_path: Path) -> None:
    failing = tmp_path / "failing"
    failing.write_text(f"#!{sys.executable}\nraise SystemExit(3)\n")
    failing.chmod(0o755)
    with pytest.raises(SystemExit, match="exit status 3 of"):
        tool.Tool(failing, tmp_path).run("flow")
