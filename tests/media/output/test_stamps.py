"""What became of a file since it was written: intact, damaged, or drawn on by a person."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from vsodtool.media.output.stamps import Condition, Stamp, condition, other_size, stamp


def mask(height: int, width: int, value: int) -> bytes:
    found, data = cv2.imencode(".png", np.full((height, width), value, np.uint8))
    assert found
    return data.tobytes()


def test_a_stamp_is_size_hash_and_the_size_of_a_picture(tmp_path: Path) -> None:
    path, data = tmp_path / "a.png", mask(3, 5, 1)
    path.write_bytes(data)
    assert stamp(path) == Stamp(len(data), hashlib.sha256(data).hexdigest(), (3, 5))


def test_what_is_no_picture_has_no_size_in_pixels(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(b"PK")
    assert stamp(path).picture is None


@pytest.mark.parametrize(
    ("now", "editable", "expected"),
    [
        (mask(3, 5, 1), True, Condition.INTACT),
        (mask(3, 5, 2), True, Condition.EDITED),
        (mask(3, 5, 2), False, Condition.DAMAGED),  # nobody draws on a confidence map
        (mask(4, 5, 1), True, Condition.DAMAGED),
        (mask(3, 5, 1)[:-20], True, Condition.DAMAGED),
        (b"", True, Condition.DAMAGED),
        (None, True, Condition.DAMAGED),
    ],
)
def test_an_edit_is_told_from_damage(
    tmp_path: Path, now: bytes | None, editable: bool, expected: Condition
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(mask(3, 5, 1))
    written = stamp(path)
    if now is None:
        path.unlink()
    else:
        path.write_bytes(now)
    assert condition(path, written, editable=editable) is expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (mask(3, 5, 1), None),
        (mask(3, 5, 2), None),
        (mask(4, 6, 1), (4, 6)),
        (mask(4, 6, 1)[:-20], None),
        (cv2.imencode(".bmp", np.ones((4, 6), np.uint8))[1].tobytes(), (4, 6)),
        (cv2.imencode(".bmp", np.ones((3, 5), np.uint8))[1].tobytes(), None),
        (b"", None),
        (None, None),
    ],
)
def test_a_picture_of_another_size_is_told_from_what_cannot_be_read(
    tmp_path: Path, now: bytes | None, expected: tuple[int, int] | None
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(mask(3, 5, 1))
    written = stamp(path)
    if now is None:
        path.unlink()
    else:
        path.write_bytes(now)
    assert other_size(path, written) == expected
    assert other_size(path, None) is None
    assert other_size(path, Stamp(1, "")) is None


def test_of_a_file_without_a_stamp_nothing_is_known(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(mask(3, 5, 1))
    assert condition(path, None, editable=True) is Condition.DAMAGED
