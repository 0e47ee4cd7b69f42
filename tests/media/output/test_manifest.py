"""manifest.json says what was run."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path

import pytest

from vsodtool import __version__
from vsodtool.errors import DataError, DeviceError, UsageError, VsodtoolError
from vsodtool.media.output.manifest import (
    COMPLETE,
    InputEntry,
    Manifest,
    library_versions,
    plain,
    read_manifest,
    write_manifest,
)
from vsodtool.types import FrameRecord, FrameStatus, MethodChoice


class Colour(StrEnum):
    RED = "red"


MANIFEST = Manifest(
    "pseudolabel",
    {"every": 5, "soft": False, "masks": "été"},
    {
        "bear": InputEntry("in/bear", 3, "ab" * 32, 2, "cd" * 32),
        "cat": InputEntry("in/cat.mp4", 1, "ef" * 32),
    },
    {"raft": "01" * 32},
)


def test_round_trip(tmp_path: Path) -> None:
    write_manifest(tmp_path / "manifest.json", MANIFEST)
    assert read_manifest(tmp_path / "manifest.json") == MANIFEST
    choice = MethodChoice("warp", ["00010"], {"warp": 0.75, "fgplg": 0.5}, "best there")
    chosen = replace(MANIFEST, choices={"bear": choice})
    write_manifest(tmp_path / "manifest.json", chosen)
    assert read_manifest(tmp_path / "manifest.json") == chosen
    content = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert content["choices"]["bear"]["hidden_j"] == {"warp": 0.75, "fgplg": 0.5}
    del content["choices"]  # as earlier builds of this version wrote it
    (tmp_path / "manifest.json").write_text(json.dumps(content), encoding="utf-8")
    assert read_manifest(tmp_path / "manifest.json") == MANIFEST


def test_has_the_fields_of_the_contract(tmp_path: Path) -> None:
    records = [FrameRecord("bear", f"{i:05d}", status, "", "", 1.0) for i, status in enumerate(FrameStatus)]
    write_manifest(tmp_path / "manifest.json", MANIFEST.completed(records, 1.23456))
    content = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert content["tool"] == "vsodtool"
    assert content["version"] == __version__
    assert content["status"] == "complete"
    assert content["config"] == MANIFEST.config
    assert content["weights"] == {"raft": "01" * 32}
    assert content["inputs"]["bear"]["files"] == 3
    assert content["seconds"] == 1.235
    assert content["videos"] == {
        "bear": {"frames": 3, "given": 1, "generated": 1, "skipped": 1},
        "cat": {"frames": 0, "given": 0, "generated": 0, "skipped": 0},
    }
    assert content["libraries"]["numpy"] == version("numpy")


def test_versions_import_nothing_heavy() -> None:
    code = (
        "import sys; from vsodtool.media.output.manifest import library_versions; "
        "print(sorted(library_versions()), sorted({'torch', 'cv2', 'numpy', 'av'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "'torch'" in done.stdout.split("]")[0]
    assert "torch" not in done.stdout.split("]")[1]
    assert "cv2" not in done.stdout.split("]")[1]


def test_an_absent_library_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vsodtool.media.output.manifest._LIBRARIES", ("no-such-library",))
    assert library_versions()["no-such-library"] == "absent"


def test_plain_values() -> None:
    value = {
        "path": Path("a/b"),
        "colour": Colour.RED,
        "pair": (1, Path("c")),
        "set": {"b", "a"},
        7: None,
        "complex": 1j,
        "deep": {"x": (True, 0.5)},
    }
    assert plain(value) == {
        "path": "a/b",
        "colour": "red",
        "pair": [1, "c"],
        "set": ["a", "b"],
        "7": None,
        "complex": "1j",
        "deep": {"x": [True, 0.5]},
    }
    assert type(plain(Colour.RED)) is str


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    manifest = replace(MANIFEST, inputs={"caf\udce9": InputEntry("in/caf\udce9 — è", 1, "")})
    write_manifest(tmp_path / "manifest.json", manifest)
    assert "— è" in (tmp_path / "manifest.json").read_text(encoding="utf-8")
    assert read_manifest(tmp_path / "manifest.json") == manifest


BEGIN = f'{{"tool": "vsodtool", "version": "{__version__}"'


def test_none_where_there_is_none(tmp_path: Path) -> None:
    assert read_manifest(tmp_path / "manifest.json") is None


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("", DataError, "cannot read"),
        ("{", DataError, "cannot read"),
        ("\xff", DataError, "cannot read"),
        ("[" * 100_000, DataError, "without end"),
        ("[]", UsageError, "was not written by vsodtool"),
        ('{"name": "my web app"}', UsageError, "was not written by vsodtool"),
        (BEGIN + "}", DataError, "is damaged"),
        (BEGIN + ', "inputs": []}', DataError, "is damaged"),
        (BEGIN + ', "command": "flow", "config": null, "inputs": {}}', DataError, "'config' is None"),
        (
            BEGIN + ', "command": "flow", "config": {}, "inputs": {}, "weights": 5}',
            DataError,
            "'weights' is 5",
        ),
        (BEGIN + ', "command": "flow", "config": {}, "inputs": {}, "seconds": "x"}', DataError, "'seconds'"),
        (
            BEGIN
            + ', "command": "x", "config": {}, "inputs": {"v": {"path": 1, "files": 1, "fingerprint": ""}}}',
            DataError,
            "'path' is 1",
        ),
        (
            BEGIN + ', "command": "x", "config": {}, "inputs": {}, '
            '"choices": {"v": {"method": 3, "hidden": [], "hidden_j": {}, "reason": ""}}}',
            DataError,
            "'method' is 3",
        ),
    ],
)
def test_what_is_no_manifest_is_refused(
    tmp_path: Path, text: str, error: type[VsodtoolError], words: str
) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(error, match=words) as caught:
        read_manifest(path)
    assert str(path) in caught.value.message
    assert caught.value.hint


def test_one_of_another_version_is_recognised(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_text('{"tool": "vsodtool", "version": "9.0", "command": "flow", "future": [1]}')
    found = read_manifest(path)
    assert found is not None
    assert (found.version, found.command) == ("9.0", "flow")


def test_unwritable(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DeviceError):
        write_manifest(tmp_path / "file" / "manifest.json", MANIFEST)


def test_completed_changes_nothing_else() -> None:
    done = MANIFEST.completed([], 2.0)
    assert MANIFEST.status == "running"
    assert replace(done, status="running", seconds=0.0, videos={}) == MANIFEST
    assert done.status == COMPLETE
