from __future__ import annotations

from pathlib import Path

import pytest

from vsodtool.config import TrainConfig, load_config
from vsodtool.errors import ConfigError

GIVEN: dict[str, object] = {"kind": "video", "data": ("davis",), "output": Path("run")}


def test_the_defaults_are_the_papers() -> None:
    config = load_config(TrainConfig, None, GIVEN)
    assert (config.backbone, config.size, config.clip_length, config.epochs) == ("resnet50", 448, 4, 50)
    assert (config.optimizer, config.batch_size, config.batch_norm) == ("adam", 1, "frozen")
    assert (config.best_by, config.augment, config.confidence_weight) == ("s_measure", "paper", False)


@pytest.mark.parametrize(
    ("values", "part"),
    [
        ({"kind": "audio"}, "kind: expected one of image, fgplg, video, densifier, found 'audio'"),
        ({"data": ()}, "no data given"),
        ({"gaps": (5, 1)}, "gaps: expected whole numbers of at least 2, found [5, 1]"),
        ({"gaps": ()}, "gaps: expected at least one, found none"),
        ({"size": 450}, "size: expected a multiple of 16 of at least 64, found 450"),
        ({"size": 32}, "size: expected a multiple of 16"),
        ({"validation_share": 1.0}, "validation_share: expected a number above 0, below 1, found 1"),
        ({"validation_share": 0.0}, "validation_share: expected"),
        ({"learning_rate": 0.0}, "learning_rate: expected"),
        ({"ema": 1.0}, "ema: expected"),
        ({"epochs": 0}, "epochs: expected a whole number of at least 1, found 0"),
        ({"pseudo_between": -2}, "pseudo_between: expected a whole number of at least -1"),
        ({"precision": "fp16"}, "precision: expected one of auto, fp32, bf16"),
        ({"best_by": "f"}, "best_by: expected one of"),
        ({"loss": "dice"}, "loss: expected one of auto, cross_entropy, region, found 'dice'"),
        ({"init": ""}, "init: expected imagenet, scratch or a file"),
        ({"resume": True, "overwrite": True}, "--resume and --overwrite: one continues the run"),
        (
            {"kind": "image", "batch_norm": "learned"},
            "batch_size: expected at least 2 where batch norms learn from it, found 1",
        ),
        ({"init": "scratch"}, "batch_norm: 'frozen' statistics of a network that begins with random weights"),
    ],
)
def test_refusals(values: dict[str, object], part: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(TrainConfig, None, {**GIVEN, **values})
    assert part in caught.value.message


@pytest.mark.parametrize(("text", "value"), [("1e-4", 1e-4), ("1.0e-4", 1e-4), ("0.01", 0.01)])
def test_numbers_as_people_write_them(tmp_path: Path, text: str, value: float) -> None:
    path = tmp_path / "train.yaml"
    path.write_text(f"learning_rate: {text}\n")
    assert load_config(TrainConfig, path, GIVEN).learning_rate == value


def test_a_whole_number_is_a_number(tmp_path: Path) -> None:
    path = tmp_path / "train.yaml"
    path.write_text("clip_gradient: 1\n")
    loaded = load_config(TrainConfig, path, GIVEN).clip_gradient
    assert isinstance(loaded, float)
    assert loaded == 1.0


@pytest.mark.parametrize("text", ["fast", "true", "[1]", ".nan", ".inf"])
def test_what_is_no_number(tmp_path: Path, text: str) -> None:
    path = tmp_path / "train.yaml"
    path.write_text(f"learning_rate: {text}\n")
    with pytest.raises(ConfigError, match="learning_rate: expected a number, found"):
        load_config(TrainConfig, path, GIVEN)
