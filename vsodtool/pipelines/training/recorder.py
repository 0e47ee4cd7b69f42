"""What a training run leaves behind: log, checkpoints, best weights, sheets, news for whoever watches."""

from __future__ import annotations

import json
import math
import time
from typing import Any

import torch

from vsodtool.media.images import write_png
from vsodtool.media.training_run.folder import write_checkpoint
from vsodtool.media.training_run.log import RunLog
from vsodtool.media.training_run.tensorboard import TensorBoardLog
from vsodtool.pipelines.networks.save import save_network
from vsodtool.pipelines.training.interrupt import StopRequest
from vsodtool.pipelines.training.judging.sheet import validation_sheet
from vsodtool.pipelines.training.judging.validate import Validation, Validator
from vsodtool.pipelines.training.loop import StepResult
from vsodtool.pipelines.training.run import Training
from vsodtool.pipelines.training.state import TrainState
from vsodtool.types import Event


class Recorder:
    """Listens to the loop. Every process validates; only the first one writes and speaks.

    Args:
        training: the run.
        state: written into checkpoints.
        validator: called at the end of every epoch.
        stop: whether somebody asked to stop.
    """

    def __init__(
        self, training: Training, state: TrainState, validator: Validator, stop: StopRequest
    ) -> None:
        self._training, self._state, self._validator, self._stop = training, state, validator, stop
        self._config, self._folder, self._plan = training.config, training.folder, training.plan
        self._is_main = training.world.is_main
        self._losses: list[float] = []
        self._saved_at = time.perf_counter()
        self._log: RunLog | None = None
        self._board: TensorBoardLog | None = None
        if self._is_main:
            begun = state.step or state.start is not None
            self._log = RunLog(self._folder.log, keep=state.step if begun else -1)
            if self._config.tensorboard:
                self._board = TensorBoardLog(self._folder.tensorboard, state.step)

    def begin(self) -> None:
        """Note where the run begins or continues, and judge the weights that it begins with.

        A new run's first checkpoint shows that the disk is fit.
        """
        self._note(
            "continue" if self._state.step else "begin",
            step=self._state.step,
            **({"seconds": self._plan.seconds} if self._plan.seconds else {"steps": self._plan.steps}),
        )
        if not self._state.step:
            self.save()
            if self._state.whole and self._state.start is None:
                self._validate()
        elif self._at_end_of_epoch() and self._state.validated < self._state.step:
            self._validate()

    def after_step(self, result: StepResult) -> None:
        """Log a step; at the end of an epoch save, validate and save again; else save if it is time."""
        step, epoch = self._state.step, self._state.epoch + 1
        self._losses.append(result.loss)
        self._note(
            "step",
            step=step,
            epoch=epoch,
            loss=result.loss,
            learning_rate=result.rate,
            gradient=result.gradient,
            seconds=round(result.seconds, 4),
            waited=round(result.waited, 4),
        )
        self._tell(Event("frame", "training", done=self._done, total=self._total))
        if self._at_end_of_epoch():
            self.save()
            self._validate()
        elif time.perf_counter() - self._saved_at >= 60 * self._config.save_minutes:
            self.save()

    def save(self) -> None:
        """Write the checkpoint.

        Raises:
            DeviceError: the disk is full or refuses; the earlier checkpoint is still there.
        """
        if self._is_main:
            content = {**self._state.as_dict(), "samples_per_step": self._training.samples_per_step}
            write_checkpoint(self._folder.last, content)
        self._state.saved = self._state.step
        self._saved_at = time.perf_counter()

    def finish(self) -> None:
        """Write the weights of the end, and say which file to use and why."""
        if self._is_main:
            self._write_weights(self._folder.final, self._state.scores)
            text = f"{self._state.step} steps, best {self._best_text()}"
            self._tell(Event("done", "training", text, self._total, self._total))
            for line in conclusion(self._training, self._state):
                self._tell(Event("notice", message=line))

    def close(self) -> None:
        """Close the logs."""
        for log in (self._log, self._board):
            if log is not None:
                log.close()

    def _validate(self) -> None:
        began = time.perf_counter()
        outcome = self._validator(self._state.judged, self._stop)
        world = self._training.world
        took = float(world.mean(torch.tensor(time.perf_counter() - began, device=world.device)))
        self._state.seconds += took
        self._state.reserve = took
        if self._state.step:  # one that took less time than was set aside for it counts all the same
            self._state.epoch = max(self._state.epoch + 1, self._state.epochs_done(self._plan))
        trusted = not self._training.data.doubt.is_general
        better = self._state.judge(outcome.judgement, self._config.best_by, trusted=trusted)
        if self._is_main:
            self._keep(outcome, better=better)
        self.save()

    def _keep(self, outcome: Validation, *, better: bool) -> None:
        """Write what a validation brought, before the checkpoint says that it was done."""
        step, scores = self._state.step, outcome.scores
        if better:
            self._write_weights(self._folder.best, scores)
        if outcome.cells and self._config.sheet_rows:
            write_png(self._folder.sheet(self._state.epoch), validation_sheet(outcome.cells), level=6)
        self._note(
            "validation", step=step, epoch=self._state.epoch, **scores, frames=outcome.frames, best=better
        )
        self._tell(Event("notice", message=self._sentence(scores, better=better)))
        self._losses.clear()

    def _write_weights(self, path: Any, scores: dict[str, float]) -> None:
        network = self._state.judged
        training = {
            "data": list(self._config.data),
            "seed": self._config.seed,
            "step": self._state.step,
            "validation": {name: round(value, 5) for name, value in scores.items()},
        }
        preprocessing = self._validator.forward.preprocessing
        save_network(path, network, preprocessing, metadata={"training": json.dumps(training)})

    def _sentence(self, scores: dict[str, float], *, better: bool) -> str:
        state, plan = self._state, self._plan
        epochs = plan.epochs
        found = (
            f"validation loss {scores['loss']:.4f}, S {scores['s_measure']:.4f}, J {scores['j']:.4f}, "
            f"MAE {scores['mae']:.4f}"
        )
        if not state.step:
            return f"epoch 0/{epochs}: {found}: what it begins with"
        loss = sum(self._losses) / max(len(self._losses), 1)
        per_step = state.seconds / max(state.step, 1)
        rest = max(plan.seconds - state.seconds, 0) if plan.seconds else (plan.steps - state.step) * per_step
        best = "best so far" if better else f"best {self._best_text()}"
        return f"epoch {state.epoch}/{epochs}: loss {loss:.4f}, {found}, {best}; {_duration(rest)} left"

    def _best_text(self) -> str:
        return f"{self._config.best_by} {self._state.best_score:.4f} at step {self._state.best_step}"

    def _note(self, event: str, **values: Any) -> None:
        if self._log is not None:
            self._log.write(event, **values)
        if self._board is not None:
            self._board.write(event, values)

    def _tell(self, event: Event) -> None:
        if self._is_main:
            self._training.on_event(event)

    def _at_end_of_epoch(self) -> bool:
        return self._state.epochs_done(self._plan) > self._state.epoch

    @property
    def _total(self) -> int:
        """Of the bar: steps, or seconds."""
        return round(self._plan.seconds) or self._plan.steps

    @property
    def _done(self) -> int:
        return min(round(self._state.seconds), self._total) if self._plan.seconds else self._state.step


def conclusion(training: Training, state: TrainState) -> list[str]:
    """The last lines of a run: the file to use, its score beside that of the start, what they speak for."""
    name, best, scope = training.config.best_by, training.folder.best, training.data.scope
    if state.start is None or state.nearest is None:
        return [f"use {best}; its score speaks for {scope}"]
    began, nearest = state.start.scores[name], state.nearest
    noise = f"give or take {nearest.gain.noise:.4f}" if math.isfinite(nearest.gain.noise) else "of one frame"
    if state.best_step:
        return [
            f"use {best}: {name} {state.best_score:.4f}, {began:.4f} where it began: better by "
            f"{nearest.gain.value:.4f} {noise}; this speaks for {scope}"
        ]
    doubt = training.data.doubt
    if doubt.is_general:
        return [
            f"the masks of {', '.join(doubt.videos[:3])} do not fit their frames, so that no score against "
            f"them proves anything: {best} is what it began with",
            f"tried: {state.step} steps; {name} {nearest.score:.4f} at best, {began:.4f} where it began",
            "do: check which masks belong to which video (vsodtool review)",
        ]
    return [
        f"training did not pay on this split ({scope}): {name} {nearest.score:.4f} at best, after step "
        f"{nearest.step}, {began:.4f} where it began: {nearest.gain.value:+.4f} {noise}",
        f"tried: {state.step} steps, learning rate {training.config.learning_rate:g}, "
        f"{len(training.data.train)} samples; {best} is what it began with",
        "do: label more videos or more frames (vsodtool suggest); until then predict as before: "
        f"--weights {training.config.init}",
    ]


def _duration(seconds: float) -> str:
    """For people: "2 h 13 min", "45 s"."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
