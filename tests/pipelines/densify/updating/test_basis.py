"""Which labels depend on which masks: a change touches what lies beside it, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from vsodtool.media.masks.sparse import MaskSet, match_masks
from vsodtool.media.video.frames import open_frames
from vsodtool.media.video.inputs import discover_videos
from vsodtool.ops.shots.shots import ONE_SHOT, Shots
from vsodtool.pipelines.densify.updating.basis import Basis
from vsodtool.types import FrameRecord, FrameStatus

NAMES = [f"{index:05d}" for index in range(9)]


def draw(path: Path, width: int) -> None:
    mask = np.zeros((8, 8), np.uint8)
    mask[2:6, :width] = 255
    path.parent.mkdir(exist_ok=True)
    assert cv2.imwrite(str(path), mask)


def read(tmp_path: Path) -> MaskSet:
    source = open_frames(discover_videos([str(tmp_path / "clip")])[0])
    return match_masks(tmp_path / "masks", [source])["clip"]


@pytest.fixture
def masks(tmp_path: Path) -> MaskSet:
    """Of the frames 0, 4 and 8 of nine."""
    for name in NAMES:
        path = tmp_path / f"clip/{name}.png"
        path.parent.mkdir(exist_ok=True)
        assert cv2.imwrite(str(path), np.zeros((8, 8, 3), np.uint8))
    for index in (0, 4, 8):
        draw(tmp_path / f"masks/{NAMES[index]}.png", 2 + index // 4)
    return read(tmp_path)


def records(basis: Basis) -> dict[str, FrameRecord]:
    """As a run leaves them."""
    found = {}
    for index, name in enumerate(NAMES):
        given = index % 4 == 0
        left = right = name
        if not given:
            left, right = NAMES[index // 4 * 4], NAMES[index // 4 * 4 + 4]
        status = FrameStatus.GIVEN if given else FrameStatus.GENERATED
        text = basis.of(name, left, right)
        found[name] = FrameRecord("clip", name, status, left, right, 1.0, basis=text)
    return found


def test_all_holds_until_a_mask_changes(masks: MaskSet, tmp_path: Path) -> None:
    basis = Basis(masks, NAMES, ONE_SHOT)
    made = records(basis)
    assert all(map(basis.holds, made.values()))
    draw(tmp_path / "masks/00004.png", 5)
    now = Basis(read(tmp_path), NAMES, ONE_SHOT)
    assert [name for name in NAMES if not now.holds(made[name])] == NAMES[1:8]
    draw(tmp_path / "masks/00004.png", 3)  # as it was
    assert all(map(Basis(read(tmp_path), NAMES, ONE_SHOT).holds, made.values()))


def test_one_that_has_gone_and_a_new_one(masks: MaskSet, tmp_path: Path) -> None:
    made = records(Basis(masks, NAMES, ONE_SHOT))
    draw(tmp_path / "masks/00006.png", 3)
    now = Basis(read(tmp_path), NAMES, ONE_SHOT)
    assert [name for name in NAMES if not now.holds(made[name])] == NAMES[5:8]
    (tmp_path / "masks/00006.png").unlink()
    (tmp_path / "masks/00004.png").unlink()
    now = Basis(read(tmp_path), NAMES, ONE_SHOT)
    assert [name for name in NAMES if not now.holds(made[name])] == NAMES[1:8]


def test_nothing_is_carried_across_a_cut(masks: MaskSet) -> None:
    basis, cut = Basis(masks, NAMES, ONE_SHOT), Basis(masks, NAMES, Shots((6,)))
    assert cut.of(NAMES[5], NAMES[4], "") != basis.of(NAMES[5], NAMES[4], "")  # to the end, with 8 or without
    assert cut.of(NAMES[1], NAMES[0], NAMES[4]) == basis.of(NAMES[1], NAMES[0], NAMES[4])


def test_another_object_concerns_every_label(masks: MaskSet) -> None:
    made = records(Basis(masks, NAMES, ONE_SHOT))
    more = Basis(replace(masks, object_ids=(1, 2)), NAMES, ONE_SHOT)
    assert not any(map(more.holds, made.values()))


def test_what_did_not_decode_has_no_labels_to_depend_on(masks: MaskSet) -> None:
    basis = Basis(masks, NAMES, ONE_SHOT)
    assert basis.holds(FrameRecord("clip", NAMES[1], FrameStatus.SKIPPED, "", "", 0.0))
    assert not basis.holds(FrameRecord("clip", NAMES[1], FrameStatus.GIVEN, "", "", 1.0))  # its mask has gone
    unknown = FrameRecord("clip", NAMES[1], FrameStatus.GENERATED, "elsewhere", NAMES[4], 0.5)
    assert not basis.holds(unknown)
