from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vsodtool.data.augmentation import AUGMENTATION, Augmentation
from vsodtool.data.clips.still_clips import make_still_clip
from vsodtool.data.clips.still_motion import StillMotion
from vsodtool.data.sources.training_data import DataSpec, load_training_data
from vsodtool.ops.warp import backward_warp


@pytest.mark.parametrize("augmentation", [None, AUGMENTATION, Augmentation(flip=1, colour=0, blur=0)])
def test_the_exact_flow_holds_after_augmentation(
    tmp_path: Path, disk: Callable[[str], Any], augmentation: Augmentation | None
) -> None:
    data = load_training_data(DataSpec(data=(str(disk("s").stills(4)),)), cache=tmp_path / "cache")
    (images,) = data.train
    for seed in range(4):
        clip = make_still_clip(
            images,
            images.frames[0],
            ages=[-2.0, 0.0, 2.0],
            side=64,
            motion=StillMotion(steady=0),
            augmentation=augmentation,
            rng=np.random.default_rng(seed),
        )
        assert clip.images.dtype == torch.uint8
        visible = clip.look.mirror(clip.moved.visible(1, 2))
        label, _ = backward_warp(clip.labels[2:], clip.flow(1, 2))
        assert ((label - clip.labels[1:2]).abs() * visible).max() < 0.1
        assert visible.mean() > 0.4
