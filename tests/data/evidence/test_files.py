"""Recorded evidence on the disk: there and back, and whatever else may lie there."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from tests.damage import Damage, damages
from vsodtool.data.evidence.files import (
    INDEX,
    EvidenceFile,
    read_array,
    read_index,
    require_evidence,
    write_array,
    write_index,
)
from vsodtool.errors import DataError


def file(place: Path, **changes: Any) -> EvidenceFile:
    values: dict[str, Any] = {
        "video": "v",
        "name": "00002 (every 5th)",
        "maps": place / "2-0.npy",
        "origin": (8, 16),
        "before": place.parent / "frames" / "0-0.npy",
        "hidden": place.parent / "frames" / "2-0.npy",
        "after": place.parent / "frames" / "5-0.npy",
        "distances": (2, 3),
        **changes,
    }
    return EvidenceFile(**values)


def test_an_array_comes_back_and_is_not_read_before_it_is_looked_at(tmp_path: Path) -> None:
    values = np.arange(4 * 5 * 6, dtype=np.uint8).reshape(4, 5, 6)
    write_array(tmp_path / "new" / "a.npy", values)
    found = read_array(tmp_path / "new" / "a.npy", 4)
    assert isinstance(found, np.memmap)
    assert np.array_equal(found, values)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.npy"]


def test_an_index_comes_back_wherever_its_folder_is_moved(tmp_path: Path) -> None:
    place = tmp_path / "run" / "5"
    write_index(place, [file(place), file(place, name="00003")])
    (tmp_path / "run").rename(tmp_path / "moved")
    there = tmp_path / "moved" / "5"
    found = read_index(there)
    assert found is not None
    assert [each.name for each in found] == ["00002 (every 5th)", "00003"]
    assert (found[0].origin, found[0].distances) == ((8, 16), (2, 3))
    assert found[0].before.resolve() == tmp_path / "moved" / "frames" / "0-0.npy"
    assert read_index(tmp_path / "nothing") is None


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((3, 4, 4), np.uint8),
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.float32),
        np.zeros((4, 0, 4), np.uint8),
        np.array([{"a": 1}], dtype=object),
    ],
    ids=["planes", "flat", "floats", "no pixels", "objects"],
)
def test_other_arrays_are_refused(tmp_path: Path, values: np.ndarray[Any, Any]) -> None:
    np.save(tmp_path / "a.npy", values, allow_pickle=True)
    with pytest.raises(DataError, match=r"a\.npy: expected recorded evidence, found a file") as caught:
        read_array(tmp_path / "a.npy", 4)
    assert "evidence is then recorded again" in caught.value.hint


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '|u1', 'fortran_order': False, 'shape': (4, -1, 3)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (4, 99999999, 99999999)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (4, 1e999, 3)}",
        "{'descr': '|O', 'fortran_order': False, 'shape': (4, 4, 3)}",
        "{'descr': '|u1', 'fortran_order': False}",
        "[" * 3000,
        "__import__('os')",
        "'",
    ],
)
def test_absurd_headers_are_refused(tmp_path: Path, header: str) -> None:
    text = header.encode().ljust(118 if len(header) < 118 else len(header)) + b"\n"
    data = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(48)
    (tmp_path / "a.npy").write_bytes(data)
    with pytest.raises(DataError, match="expected recorded evidence") as caught:
        read_array(tmp_path / "a.npy", 4)
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("origin", [1e999, 0]),
        ("origin", [-8, 0]),
        ("origin", [1 << 40, 0]),
        ("origin", [8]),
        ("origin", "88"),
        ("origin", [True, 0]),
        ("distances", [1, 2, 3]),
        ("distances", None),
        ("video", 5),
        ("name", ["a"]),
        ("maps", None),
        ("maps", "../../../../etc/passwd"),
        ("hidden", "/etc/passwd"),
    ],
)
def test_values_that_were_never_written_are_refused(tmp_path: Path, part: str, value: object) -> None:
    place = tmp_path / "e" / "5"
    write_index(place, [file(place)])
    entries = json.loads((place / INDEX).read_text())
    entries[0][part] = value
    (place / INDEX).write_text(json.dumps(entries))
    with pytest.raises(DataError, match="expected an index of recorded evidence") as caught:
        read_index(place)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("text", ["", "{", "5", '{"a": 1}', "[" * 100_000, "[[]]", "[null]", "\xff"])
def test_what_is_no_index_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / INDEX).write_bytes(text.encode("latin1"))
    with pytest.raises(DataError, match="expected an index of recorded evidence"):
        read_index(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.npy")
    with pytest.raises(DataError, match="found a named pipe"):
        read_array(tmp_path / "a.npy", 4)


@settings(max_examples=20, deadline=None)
@given(damage=damages())
def test_damaged_files_are_read_or_refused(damage: Damage, tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.mktemp("evidence") / "5"
    write_index(place, [file(place)])
    write_array(place / "a.npy", np.full((4, 8, 8), 7, np.uint8))
    for path in (place / "a.npy", place / INDEX):
        path.write_bytes(damage.of(path.read_bytes()))
    with suppress(DataError):
        read_array(place / "a.npy", 4)
    with suppress(DataError):
        read_index(place)


def test_nothing_hidden_is_refused() -> None:
    require_evidence(1)
    with pytest.raises(DataError, match="expected videos with masks on both sides of others, found none"):
        require_evidence(0)
