"""The table of the kinds of training: what it promises of each, and that one more line is one more kind."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from vsodtool.config import TrainConfig, load_config, shipped_path
from vsodtool.config.commands import train as options
from vsodtool.errors import ConfigError
from vsodtool.media.crops import WHOLE, crop_map, read_crop, read_label
from vsodtool.media.training_run.log import read_log
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.weights.networks import create_network
from vsodtool.ops.sampling.sample_order import Key
from vsodtool.pipelines.networks.load import load_network
from vsodtool.pipelines.train import run_train
from vsodtool.pipelines.training.datasets import Found, Pair
from vsodtool.pipelines.training.kinds import KINDS, Kind, architecture_of, task_of
from vsodtool.pipelines.training.task import Target, Task

MakeConfig = Callable[..., TrainConfig]
Sample = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], str, str]


class Backgrounds:
    """The toy dataset: every given frame, and what is *not* salient in it."""

    def __init__(self, found: Found, videos: Sequence[Any]) -> None:
        self._size = found.config.size
        self._frames = [(video, frame) for video in videos for frame in video.given]

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, key: Key, /) -> Sample:
        video, frame = self._frames[key[1]]
        image = read_crop(frame.image, frame.size, WHOLE, self._size)
        mask = crop_map(read_label(frame.mask, video.encoding), WHOLE, self._size)
        return image, 1 - mask, video.name, frame.name


class Batch(dict[str, Any]):
    def to(self, device: torch.device, *, non_blocking: bool = False) -> Batch:
        return self


def collate(samples: Sequence[Sample]) -> Batch:
    images = torch.stack([torch.from_numpy(image).permute(2, 0, 1) for image, *_ in samples])
    labels = torch.stack([torch.from_numpy(label)[None] for _, label, *_ in samples])
    videos, names = [video for *_, video, _ in samples], [name for *_, name in samples]
    return Batch(images=images, labels=labels, videos=videos, names=names)


def network_input(batch: Batch, preprocessing: Preprocessing) -> Tensor:
    return preprocessing.normalise(batch["images"].float() / 255)


def target(batch: Batch) -> Target:
    labels = batch["labels"][None]
    return Target(
        labels,
        torch.ones_like(labels),
        batch["images"][None],
        batch["videos"],
        [(name,) for name in batch["names"]],
    )


def open_backgrounds(found: Found) -> Pair:
    return Backgrounds(found, found.data.train), Backgrounds(found, found.data.validation)


TOY = Kind(
    network="image",
    datasets=open_backgrounds,
    task=Task(collate, network_input, target),
    config="train-image",
)


def test_the_table_and_the_options_agree() -> None:
    """Config may not import pipelines: a new line of the table is a new name in its choices."""
    assert set(KINDS) == set(options.KINDS)
    assert len(KINDS) == len(options.KINDS)


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_begins_with_a_file_that_comes_along(name: str, tmp_path: Path) -> None:
    path = shipped_path(f"configs/{KINDS[name].config}.yaml")
    config = load_config(TrainConfig, path, {"data": ("d",), "output": tmp_path / "run"})
    assert config.kind == name
    network = create_network(architecture_of(config))
    assert network.architecture.kind == KINDS[name].network
    assert task_of(config).collate is KINDS[name].task.collate


def test_an_architecture_that_cannot_be_built_says_what_to_begin_with(config: MakeConfig) -> None:
    odd = replace(config(kind="image"), skip_width=7)
    with pytest.raises(ConfigError, match="skip_width: expected an even number") as caught:
        architecture_of(odd)
    assert caught.value.hint == "begin with --config train-image"


def test_a_toy_kind_through_nothing_but_the_table(
    config: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KINDS, "backgrounds", TOY)
    settings = config(kind="image", steps_per_epoch=2)
    object.__setattr__(settings, "kind", "backgrounds")  # whose names are compared in the test above
    report = run_train(settings)
    assert (report.kind, report.steps, report.epochs) == ("backgrounds", 4, 2)
    assert [record["event"] for record in read_log(tmp_path / "run/log.jsonl")].count("validation") == 2
    assert json.loads((tmp_path / "run/manifest.json").read_text())["command"] == "train backgrounds"
    assert load_network(str(tmp_path / "run/best.safetensors"), ("image",)).architecture.context_width == 8
