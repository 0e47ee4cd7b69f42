"""Specks of a made label, and whom their pixels go to."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from vsodtool.media.video.frame_store import FrameStore
from vsodtool.media.video.frames import FolderFrames
from vsodtool.media.video.inputs import discover_videos
from vsodtool.ops.boxes import whole
from vsodtool.pipelines.densify.filling.cleaning import clean
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.interval import Interval, LabelledFrame

SIZE = (60, 90)
RGB = np.zeros((*SIZE, 3), np.uint8)


def two_objects() -> Tensor:
    labels = torch.zeros(1, 2, *SIZE)
    labels[:, 0, 10:50, 5:45] = 1
    labels[:, 1, 10:50, 45:85] = 1
    return labels


def made_with(labels: Tensor, trust: float = 0.2) -> SoftLabel:
    return SoftLabel(5, SIZE, whole(SIZE), labels, torch.full((1, 1, *SIZE), trust))


def interval(clip: Path, left: Tensor, right: Tensor) -> Interval:
    clip.mkdir()
    cv2.imwrite(str(clip / "0.png"), RGB)
    store = FrameStore(FolderFrames(discover_videos([str(clip)])[0]), clip.parent)
    known = [LabelledFrame(index, str(index), RGB, labels) for index, labels in ((0, left), (10, right))]
    return Interval(known[0], known[1], [5], store)


def test_a_speck_goes_to_the_one_around_it(tmp_path: Path) -> None:
    job = interval(tmp_path / "clip", two_objects(), two_objects())
    labels = two_objects()
    labels[:, 0, 20:22, 60:63], labels[:, 1, 20:22, 60:63] = 0.6, 0.35  # the first one in the second one
    labels[:, 0, 3:5, 3:5] = 0.6  # and in the background
    dirty = made_with(labels)
    tidy = clean(job, dirty, 0)
    assert torch.equal(tidy.labels > 0.5, two_objects() > 0.5)
    assert torch.equal(dirty.labels, labels)
    assert clean(job, tidy, 0) is tidy
    kept = clean(job, dirty, 1)
    assert kept is dirty


def test_a_mask_that_has_the_like_of_it_keeps_it(tmp_path: Path) -> None:
    drawn = two_objects()
    drawn[:, 0, 3:5, 3:5] = 1
    job = interval(tmp_path / "clip", two_objects(), drawn)
    label = made_with(drawn, trust=0.3)
    assert clean(job, label, 0) is label
    assert bool((clean(job, label, 5).labels[:, 0, 3:5, 3:5] == 0).all())  # told how many pixels


def test_what_is_sure_stays(tmp_path: Path) -> None:
    job = interval(tmp_path / "clip", two_objects(), two_objects())
    labels = two_objects()
    labels[:, 0, 3:5, 3:5] = 1
    sure = made_with(labels, trust=0.9)
    assert clean(job, sure, 0) is sure
    assert float(clean(job, made_with(labels), 0).labels[0, 0, 3, 3]) == 0


def test_a_broken_line_is_joined_where_the_masks_have_one(tmp_path: Path) -> None:
    drawn = two_objects()
    drawn[:, 0, 5, 5:85] = 1
    drawn[:, 0, 5:10, 5] = 1  # it hangs on the first object
    job = interval(tmp_path / "clip", drawn, drawn)
    labels = drawn.clone()
    labels[:, 0, 5, 30:33] = 0.3  # faint, but there
    labels[:, 0, 5, 60:78] = 0.1  # lost
    broken = made_with(labels)
    tidy = clean(job, broken, 0)
    expected = drawn > 0.5
    expected[:, 0, 5, 60:78] = False
    assert torch.equal(tidy.labels > 0.5, expected)
    assert float(tidy.certainty[0, 0, 5, 31]) < 0.01  # nobody says that it is sure
    lost = clean(job, made_with(labels, trust=0.1), 0)  # its piece beyond the gap has no backing
    assert torch.equal(lost.labels[0, 0, 5] > 0.5, torch.arange(90).ge(5) & torch.arange(90).lt(60))
    assert clean(job, broken, 1) is broken
    plain = interval(tmp_path / "other", two_objects(), two_objects())
    row = clean(plain, broken, 0).labels[0, 0, 5] > 0.5
    assert not bool(row[30:33].any() or row[78:85].any())  # of masks without a line it is a speck
