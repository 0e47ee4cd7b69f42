"""Training of networks that see motion, with a backbone that stays as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from vsodtool.errors import ConfigError, WeightsError
from vsodtool.models.architecture import VIDEO
from vsodtool.models.preprocessing import IMAGENET_MEAN
from vsodtool.pipelines.networks.load import load_network
from vsodtool.pipelines.train import run_train
from vsodtool.pipelines.training.init import preprocessing_of, start_network
from vsodtool.types import ignore_event


def test_a_frozen_backbone_stays_and_the_rest_learns(config: Any, tmp_path: Path) -> None:
    first = config(motion_input=True, epochs=1, output=tmp_path / "first")
    run_train(first)
    second = config(
        motion_input=True,
        freeze_backbone=True,
        init=str(tmp_path / "first"),
        epochs=1,
        output=tmp_path / "second",
    )
    run_train(second)
    before = load_network(str(tmp_path / "first/best.safetensors"), (VIDEO,)).network.state_dict()
    after = load_network(str(tmp_path / "second/final.safetensors"), (VIDEO,)).network.state_dict()
    changed = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert changed >= {"motion", "aspp", "skips", "refinements", "decoder", "ner"}
    assert "backbone" not in changed


def test_the_pictures_are_normalised_as_for_the_backbone(config: Any) -> None:
    assert preprocessing_of(config()).mean == IMAGENET_MEAN
    other = preprocessing_of(config(backbone="efficientnet_lite0"))
    assert other.size == 64
    assert other.mean == pytest.approx((0.498, 0.498, 0.498), abs=1e-3)


def test_motion_is_part_of_the_architecture(config: Any, tmp_path: Path) -> None:
    run_train(config(epochs=1, output=tmp_path / "blind"))
    with pytest.raises(WeightsError, match="motion_input False, expected True"):
        start_network(config(motion_input=True, init=str(tmp_path / "blind")), ignore_event)


def test_what_cannot_be_trained_is_refused(config: Any) -> None:
    with pytest.raises(ConfigError, match="motion_input: expected false for kind fgplg"):
        config(kind="fgplg", motion_input=True)
    lite = {"kind": "densifier", "backbone": "efficientnet_lite0"}
    with pytest.raises(ConfigError, match="motion_input: expected false for kind densifier"):
        config(**lite, motion_input=True)
    with pytest.raises(ConfigError, match="backbone: expected efficientnet_lite0 for kind densifier"):
        config(**{**lite, "backbone": "mobilenet_v3_small"})
    with pytest.raises(ConfigError, match="freeze_backbone: random weights would stay random"):
        config(freeze_backbone=True)
