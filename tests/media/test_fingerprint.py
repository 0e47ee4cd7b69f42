"""A changed file gets another fingerprint, an untouched one keeps it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vsodtool.errors import DataError
from vsodtool.media.fingerprint import content_fingerprint, file_sha256, input_fingerprint

MakeInput = Callable[..., Any]


@pytest.mark.parametrize("frames", [0, 3])
def test_stays_the_same(make_input: MakeInput, frames: int) -> None:
    video = make_input("bear", frames)
    assert input_fingerprint(video) == input_fingerprint(video)


@pytest.mark.parametrize("frames", [0, 3])
def test_notices_size_and_time(make_input: MakeInput, frames: int) -> None:
    video = make_input("bear", frames)
    file = (video.files or (video.path,))[-1]
    before = input_fingerprint(video)
    times = file.stat().st_atime_ns, file.stat().st_mtime_ns
    file.write_bytes(file.read_bytes() + b"!")
    os.utime(file, ns=times)
    longer = input_fingerprint(video)
    os.utime(file, ns=(times[0], times[1] + 1000))
    assert len({before, longer, input_fingerprint(video)}) == 3


def test_notices_a_missing_frame_and_another_name(make_input: MakeInput, tmp_path: Path) -> None:
    video = make_input("bear", 3)
    before = input_fingerprint(video)
    assert input_fingerprint(type(video)("bear", video.path, video.files[:2])) != before
    renamed = video.files[2].rename(video.path / "00009.jpg")
    assert input_fingerprint(type(video)("bear", video.path, (*video.files[:2], renamed))) != before


def test_a_moved_folder_is_the_same_input(make_input: MakeInput, tmp_path: Path) -> None:
    video = make_input("bear", 3)
    before = input_fingerprint(video)
    moved = video.path.rename(tmp_path / "elsewhere")
    files = tuple(moved / path.name for path in video.files)
    assert input_fingerprint(type(video)("bear", moved, files)) == before


def test_content_counts_for_masks_and_order_does_not(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("1.png", "2.png")]
    for path in files:
        path.write_bytes(path.name.encode())
    before = content_fingerprint(files)
    os.utime(files[0], ns=(0, 0))
    assert content_fingerprint(reversed(files)) == before
    files[1].write_bytes(b"2.pnG")
    assert content_fingerprint(files) != before


def test_sha256(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc" * 100_000)
    assert file_sha256(tmp_path / "file") == hashlib.sha256(b"abc" * 100_000).hexdigest()


def test_what_has_gone_is_named(make_input: MakeInput, tmp_path: Path) -> None:
    video = make_input("bear", 3)
    video.files[1].unlink()
    with pytest.raises(DataError, match=r"00001\.jpg"):
        input_fingerprint(video)
    with pytest.raises(DataError, match="nothing here"):
        file_sha256(tmp_path / "nothing here")
    with pytest.raises(DataError, match=r"cannot read .*00001\.jpg"):
        content_fingerprint(video.files)
