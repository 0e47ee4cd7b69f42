"""Scores of a network on frames that it was not trained on."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from vsodtool.errors import DataError
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.ops.sampling.sample_order import Key
from vsodtool.pipelines.training.interrupt import StopRequest
from vsodtool.pipelines.training.judging.validate import FrameResult, Validator, mean_scores
from vsodtool.pipelines.training.processes import World
from vsodtool.pipelines.training.task import Forward, Target, Task

CPU = torch.device("cpu")


class Squares:
    """Six frames of two videos, each with another square."""

    def __init__(self, length: int = 6) -> None:
        self._length = length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, key: Key, /) -> tuple[Tensor, str, str]:
        _, index = key
        label = torch.zeros(1, 16, 16)
        label[0, 2 : 8 + index, 3:10] = 1
        return label, f"v{index % 2}", str(index)


def target(batch: list[tuple[Tensor, str, str]]) -> Target:
    labels = torch.stack([label for label, *_ in batch])[None]
    images = (labels * 255).to(torch.uint8).expand(-1, -1, 3, -1, -1)
    return Target(
        labels, torch.ones_like(labels), images, [v for _, v, _ in batch], [(n,) for *_, n in batch]
    )


class Batched(list[tuple[Tensor, str, str]]):
    def to(self, device: torch.device) -> Batched:
        return self


def collate(samples: Sequence[tuple[Tensor, str, str]]) -> Batched:
    return Batched(samples)


def network_input(batch: Batched, _: Preprocessing) -> Tensor:
    return torch.stack([label for label, *_ in batch])


class Oracle(nn.Module):
    """Says what it is shown, surely; or the opposite."""

    def __init__(self, sign: float = 1.0) -> None:
        super().__init__()
        self._sign = sign
        self.modes: list[bool] = []

    def forward(self, labels: Tensor) -> Tensor:
        self.modes.append(self.training)
        return self._sign * (labels * 40 - 20)


def validator(dataset: Squares, samples: int = 0, pictures: int = 2) -> Validator:
    forward = Forward(Task(collate, network_input, target), Preprocessing(), torch.float32)
    return Validator(
        forward, dataset, World(0, 1, CPU), batch_size=4, workers=0, samples=samples, pictures=pictures
    )


def test_what_is_right_scores_best_and_what_is_wrong_worst() -> None:
    network = Oracle().train()
    outcome = validator(Squares())(network, StopRequest())  # type: ignore[arg-type]
    assert outcome.frames == 6
    assert outcome.scores["j"] == 1
    assert outcome.scores["mae"] == pytest.approx(0, abs=1e-6)
    assert outcome.scores["s_measure"] == pytest.approx(1, abs=1e-6)
    assert outcome.scores["loss"] < 1e-6
    assert [cell.frame for cell in outcome.cells] == ["0", "4"]  # the first of each batch
    assert network.modes == [False, False]
    assert network.training  # as before
    wrong = validator(Squares())(Oracle(-1.0), StopRequest())  # type: ignore[arg-type]
    assert wrong.scores["j"] == 0
    assert wrong.scores["mae"] == pytest.approx(1, abs=1e-6)


def test_some_samples_spread_over_all() -> None:
    outcome = validator(Squares(), samples=3, pictures=0)(Oracle(), StopRequest())  # type: ignore[arg-type]
    assert outcome.frames == 3
    assert outcome.cells == []


def test_somebody_may_ask_to_stop_and_there_must_be_something() -> None:
    stop = StopRequest()
    stop.asked = True
    network = Oracle().train()
    with pytest.raises(KeyboardInterrupt):
        validator(Squares())(network, stop)  # type: ignore[arg-type]
    assert network.training
    with pytest.raises(DataError, match="no validation data"):
        validator(Squares(0))(network, StopRequest())  # type: ignore[arg-type]


def test_means_are_over_frames_and_then_over_videos() -> None:
    def result(video: str, frame: str, value: float) -> FrameResult:
        return FrameResult(video, frame, value, value, value, value)

    means = mean_scores([result("a", "0", 1.0), result("a", "1", 0.0), result("b", "0", 0.0)])
    assert means == {"s_measure": 0.25, "j": 0.25, "mae": 0.25, "loss": 0.25}
    assert math.isfinite(means["loss"])
