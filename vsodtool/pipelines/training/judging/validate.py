"""Validation: scores of a network on clips that it was not trained on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn

from vsodtool.errors import DataError
from vsodtool.metrics import region_j, score_frame
from vsodtool.models.weights.networks import Network
from vsodtool.ops.sampling.sample_order import spread
from vsodtool.pipelines.training.batches import Batch, KeyedDataset, read_batches
from vsodtool.pipelines.training.frozen import FrozenEncoder, Memory
from vsodtool.pipelines.training.interrupt import StopRequest
from vsodtool.pipelines.training.judging.sheet import SheetCell, sheet_cells
from vsodtool.pipelines.training.judging.verdict import Judgement
from vsodtool.pipelines.training.processes import World
from vsodtool.pipelines.training.task import Forward

SCORES = ("s_measure", "j", "mae", "loss")


@dataclass(frozen=True)
class FrameResult:
    """The scores of one frame, at the size that the network sees; `loss` is that of its clip."""

    video: str
    frame: str
    s_measure: float
    j: float
    mae: float
    loss: float


@dataclass
class Validation:
    """The outcome of a validation.

    Attributes:
        scores: s_measure, j, mae and loss: means over the frames of a video, then over the videos.
        frames: number of frames.
        cells: pictures for the sheet.
        halves: the same means over the first and the second half of the frames of each video.
    """

    scores: dict[str, float]
    frames: int
    cells: list[SheetCell] = field(default_factory=list)
    halves: dict[str, dict[str, float]] = field(default_factory=dict)

    @property
    def judgement(self) -> Judgement:
        """To be compared with that of another network."""
        return Judgement(self.scores, self.halves)


@dataclass(frozen=True)
class Validator:
    """Validates a network, each process a share of the batches.

    Attributes:
        forward: batches through the network.
        dataset: whole frames, nothing random.
        world: the processes.
        batch_size: clips per batch.
        workers: processes that read.
        samples: use so many clips; 0 = all.
        pictures: how many clips are drawn.
        memory: of what a frozen encoder sees of these clips, which are always the same; None if it learns.
    """

    forward: Forward
    dataset: KeyedDataset
    world: World
    batch_size: int
    workers: int
    samples: int
    pictures: int
    memory: Memory | None = None

    @torch.no_grad()
    def __call__(self, network: Network, stop: StopRequest) -> Validation:
        """Score `network`; S-measure and MAE after min-max stretch (protocol davsod), J at 0.5 without.

        Raises:
            KeyboardInterrupt: somebody asked to stop.
            DataError: there is nothing to validate on.
        """
        was_training = network.training
        network.eval()
        results: list[FrameResult] = []
        cells: dict[int, list[SheetCell]] = {}
        try:
            for number, found, drawn in self._batches(network, stop):
                results += found
                cells[number] = drawn
        finally:
            network.train(was_training)
        shares = self.world.gather((results, cells))
        every = {(result.video, result.frame): result for share, _ in shares for result in share}
        pictures = {number: drawn for _, share in shares for number, drawn in share.items()}
        drawn = [cell for number in sorted(pictures) for cell in pictures[number]]
        results = list(every.values())
        return Validation(mean_scores(results), len(every), drawn, half_scores(results))

    def _batches(
        self, network: Network, stop: StopRequest
    ) -> Iterator[tuple[int, list[FrameResult], list[SheetCell]]]:
        chosen = spread(len(self.dataset), self.samples)
        starts = range(0, len(chosen), self.batch_size)
        parts = [chosen[start : start + self.batch_size] for start in starts]
        drawn = set(spread(len(parts), min(self.pictures, len(parts))) if self.pictures else [])
        mine = range(self.world.rank, len(parts), self.world.size)
        keys = [[(0, index) for index in parts[number]] for number in mine]
        workers = min(self.workers, len(keys))
        read = read_batches(
            self.dataset, keys, self.forward.task.collate, seed=0, workers=workers, device=self.world.device
        )
        with closing(read) as batches:
            for number, batch in zip(mine, batches, strict=True):
                if stop.asked and not self.world.is_parallel:
                    raise KeyboardInterrupt
                yield number, *self._judge(network, batch, draw=number in drawn)

    def _judge(
        self, network: Network, batch: Batch, *, draw: bool
    ) -> tuple[list[FrameResult], list[SheetCell]]:
        device = self.world.device
        data = batch.data.to(device)
        judged: nn.Module = network
        if self.memory is not None:
            judged = FrozenEncoder(network, self.memory)
            judged.samples = batch.seeds
        logits, target, clips = self.forward(judged, data)
        loss = float(clips)
        probabilities = logits.sigmoid().cpu()
        truth = target.labels.cpu() > 0.5
        scored = target.weights.flatten(2).any(-1).cpu()  # the others only make clips whole
        found = []
        for clip, (video, names) in enumerate(zip(target.videos, target.frames, strict=True)):
            for frame, name in enumerate(names):
                if not scored[frame, clip]:
                    continue
                pair = (probabilities[frame, clip, 0].numpy(), truth[frame, clip, 0].numpy())
                found.append(_score(video, name, *pair, loss))
        return found, sheet_cells(target, probabilities) if draw else []


def mean_scores(results: list[FrameResult]) -> dict[str, float]:
    """Means over the frames of each video, then over the videos.

    Raises:
        DataError: there are no frames.
    """
    if not results:
        raise DataError("no validation data", "give --validation, or a larger --validation-share")
    means = np.mean([np.mean(rows, axis=0) for rows in _by_video(results).values()], axis=0)
    return {name: float(mean) for name, mean in zip(SCORES, means, strict=True)}


def half_scores(results: list[FrameResult]) -> dict[str, dict[str, float]]:
    """Means over each half of the frames of each video, in order; of a single frame that one."""
    found = {}
    for video, rows in _by_video(results).items():
        middle = (len(rows) + 1) // 2
        for number, part in enumerate((rows[:middle], rows[middle:])):
            if part:
                means = np.mean(part, axis=0)
                found[f"{video}/{number}"] = {
                    name: float(mean) for name, mean in zip(SCORES, means, strict=True)
                }
    return found


def _by_video(results: list[FrameResult]) -> dict[str, list[list[float]]]:
    videos: dict[str, list[list[float]]] = {}
    for result in sorted(results, key=lambda result: (result.video, result.frame)):
        videos.setdefault(result.video, []).append([getattr(result, name) for name in SCORES])
    return videos


def _score(
    video: str,
    name: str,
    probability: np.ndarray[tuple[int, int], np.dtype[np.float32]],
    truth: np.ndarray[tuple[int, int], np.dtype[np.bool_]],
    loss: float,
) -> FrameResult:
    scores = score_frame(probability, truth, measures=("s_measure", "mae"))
    assert scores.s_measure is not None
    assert scores.mae is not None
    return FrameResult(video, name, scores.s_measure, region_j(probability >= 0.5, truth), scores.mae, loss)
