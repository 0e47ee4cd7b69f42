"""What changes while training, as it goes into a checkpoint and comes out of it."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from vsodtool import __version__
from vsodtool.config import TrainConfig
from vsodtool.errors import WeightsError
from vsodtool.models.weights.networks import Network
from vsodtool.pipelines.training.judging.verdict import Gain, Judgement, gain
from vsodtool.pipelines.training.run import Plan

_OPTIMIZERS: dict[str, type[torch.optim.Adam]] = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
# By the number of videos. One video teaches its own look: chosen on davis-train, RESULTS.md.
_BLENDS = {1: 0.25, 2: 0.5, 3: 0.5}
_WORST = {"s_measure": -math.inf, "j": -math.inf, "mae": math.inf}


class Ema:
    """A network whose weights are the running mean of another's.

    The decay begins small, (1 + step) / (10 + step), so that the random beginning is soon forgotten.
    """

    def __init__(self, network: Network, decay: float) -> None:
        self.network = copy.deepcopy(network).requires_grad_(False).eval()
        self._decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Move towards `network` after step `step` (from 1); statistics of batch norms move likewise."""
        share = 1 - min(self._decay, (1 + step) / (10 + step))
        mine, theirs = self.network.state_dict(), network.state_dict()
        floats = [name for name, value in mine.items() if value.is_floating_point()]
        torch._foreach_lerp_([mine[name] for name in floats], [theirs[name] for name in floats], share)
        for name, value in mine.items():
            if not value.is_floating_point():
                value.copy_(theirs[name])


@dataclass(frozen=True)
class Nearest:
    """A network after training, beside the one it began as.

    Attributes:
        step: after which it was validated.
        score: by `best_by`.
        gain: over the start.
    """

    step: int
    score: float
    gain: Gain

    def as_dict(self) -> dict[str, Any]:
        """In JSON types; noise that nothing tells is None."""
        noise = self.gain.noise if math.isfinite(self.gain.noise) else None
        return {"step": self.step, "score": self.score, "gain": self.gain.value, "noise": noise}


@dataclass
class TrainState:
    """Everything that a run continues from.

    Attributes:
        network: being trained, on the device.
        optimizer: of its parameters.
        ema: running mean of its weights, None if there is none.
        step: steps done.
        epoch: how many times was validated after training.
        validated: the step after which was validated last.
        saved: the step of the newest checkpoint.
        best_score: the best validation score, by `best_by`.
        best_step: the step that it belongs to, -1 before the first validation.
        scores: of the last validation.
        seconds: of training and validation, over all runs.
        reserve: seconds that the last validation will take, as far as this run knows.
        whole: whether the weights it began with are those of a whole network, which has to be beaten.
        start: what validation said of that network, None before it was asked.
        anchor: the weights that it began with, by name, where a share of the change is kept.
        blend: that share.
        nearest: the best after training, or the one of the highest score as long as none of them is better
            than the start for sure.
        best: what validation said of the best after training, None before there is one.
    """

    network: Network
    optimizer: torch.optim.Optimizer
    ema: Ema | None
    step: int = 0
    epoch: int = 0
    validated: int = 0
    saved: int = 0
    best_score: float = math.nan
    best_step: int = -1
    scores: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    reserve: float = 0.0
    whole: bool = False
    start: Judgement | None = None
    nearest: Nearest | None = None
    best: Judgement | None = None
    anchor: dict[str, Tensor] = field(default_factory=dict)
    blend: float = 1.0

    @property
    def judged(self) -> Network:
        """The network that is validated and kept.

        Between the weights of the start and of now lies one that has learnt nearly as much and forgotten less
        (Wortsman et al., CVPR 2022, WiSE-FT).
        """
        trained = self.network if self.ema is None else self.ema.network
        if not self.anchor:
            return trained
        between = copy.deepcopy(trained).requires_grad_(False)
        for name, parameter in between.named_parameters():
            if name in self.anchor:
                parameter.copy_(torch.lerp(self.anchor[name], parameter, self.blend))
        return between

    def share(self, plan: Plan) -> float:
        """How much of the plan is done, 0 to 1; the last validation ends with the time, or ended it."""
        if self.epoch >= plan.epochs:
            return 1.0
        return plan.share(self.step, self.seconds + self.reserve)

    def epochs_done(self, plan: Plan) -> int:
        """How many validations are due."""
        return plan.epochs_done(self.step, self.seconds + self.reserve)

    def judge(self, now: Judgement, best_by: str, *, trusted: bool = True) -> bool:
        """Take note of a validation; whether its network is the best so far.

        One that was trained has to beat the start by more than the noise of the comparison, and by labels
        that can be trusted. Of those that went on from a whole network it has to beat an earlier one so, too:
        what is as good at home after fewer steps has forgotten less of what lies elsewhere.
        """
        score, gained = now.scores[best_by], None
        if self.step and self.start is not None:
            gained = gain(self.start, now, best_by)
        better = _beats(score, self.best_score, best_by) and (gained is None or (trusted and gained.is_sure))
        if better and self.whole and self.best is not None:
            better = gain(self.best, now, best_by).is_sure
        if gained is not None and (better or (self.best is None and self._is_nearer(score, gained, best_by))):
            self.nearest = Nearest(self.step, score, gained)
        if better:
            self.best_score, self.best_step = score, self.step
            self.best = now if self.step else None
        if not self.step:
            self.start = now
        self.validated, self.scores = self.step, dict(now.scores)
        return better

    def _is_nearer(self, score: float, gained: Gain, best_by: str) -> bool:
        """Whether a network that is not the best is worth more to tell of than the one that is told of."""
        before = self.nearest
        if before is None or gained.is_sure != before.gain.is_sure:
            return before is None or gained.is_sure
        return _beats(score, before.score, best_by)

    def as_dict(self) -> dict[str, Any]:
        """Tensors and plain values."""
        return {
            "vsodtool": __version__,
            "architecture": self.network.architecture.as_dict(),
            "network": self.network.state_dict(),
            "ema": None if self.ema is None else self.ema.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "epoch": self.epoch,
            "validated": self.validated,
            "best_score": self.best_score,
            "best_step": self.best_step,
            "scores": dict(self.scores),
            "seconds": self.seconds,
            "anchor": self.anchor,
            "whole": self.whole,
            "start": None if self.start is None else self.start.as_dict(),
            "nearest": None if self.nearest is None else self.nearest.as_dict(),
            "best": None if self.best is None else self.best.as_dict(),
        }

    def restore(self, content: dict[str, Any], where: str) -> None:
        """Take over what `as_dict` gave.

        Raises:
            WeightsError: it is of another architecture, or incomplete.
        """
        found, expected = content.get("architecture"), self.network.architecture.as_dict()
        if found != expected:
            difference = _difference(found, expected)
            raise WeightsError(
                f"{where} is the checkpoint of another architecture: {difference}",
                "continue with the options that it was begun with, or start again with --overwrite",
            )
        try:
            self.network.load_state_dict(content["network"])
            if self.ema is not None:
                self.ema.network.load_state_dict(content["ema"])
            for name, value in self.anchor.items():
                value.copy_(content["anchor"][name])
            _restore_optimizer(self.optimizer, content["optimizer"])
            self.step = self.saved = _whole(content, "step")
            self.epoch = _whole(content, "epoch")
            self.validated, self.best_step = _whole(content, "validated"), _whole(content, "best_step", -1)
            self.best_score, self.seconds = _number(content, "best_score"), _number(content, "seconds")
            self.scores = _scores(content["scores"])
            self.whole, self.start = bool(content["whole"]), _judgement(content["start"])
            self.nearest = _nearest(content["nearest"])
            self.best = _judgement(content.get("best"))  # runs begun before it was kept have none
        except (LookupError, RuntimeError, ValueError, TypeError, AttributeError, AssertionError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
            raise WeightsError(
                f"{where} does not fit this run: {reason}", "start the run again with --overwrite"
            ) from error


def create_state(config: TrainConfig, network: Network, *, videos: int = 0) -> TrainState:
    """The state before the first step.

    Args:
        config: of the run.
        network: with the weights that it begins with.
        videos: that it will learn from; 0 if there are only images.
    """
    blend = config.blend or _BLENDS.get(videos, 1.0)
    learned = [(name, value) for name, value in network.named_parameters() if value.requires_grad]
    return TrainState(
        network,
        create_optimizer(config, network),
        Ema(network, config.ema) if config.ema > 0 else None,
        anchor={name: value.detach().clone() for name, value in learned} if blend < 1 else {},
        blend=blend,
    )


def create_optimizer(config: TrainConfig, network: nn.Module) -> torch.optim.Optimizer:
    """Adam or AdamW; biases and the weights of norms are not decayed."""
    learned = [parameter for parameter in network.parameters() if parameter.requires_grad]
    kernels: list[Tensor] = [parameter for parameter in learned if parameter.ndim > 1]
    rest: list[Tensor] = [parameter for parameter in learned if parameter.ndim <= 1]
    groups = [{"params": kernels, "weight_decay": config.weight_decay}, {"params": rest, "weight_decay": 0.0}]
    fused = all(parameter.device.type in {"cpu", "cuda"} for parameter in learned)
    return _OPTIMIZERS[config.optimizer](groups, lr=config.learning_rate, fused=fused)


def _whole(content: Mapping[str, Any], name: str, least: int = 0) -> int:
    value = content[name]
    if type(value) is not int or value < least:
        raise ValueError(f"{name}: expected a whole number of at least {least}, found {str(value)[:40]!r}")
    return value


def _number(content: Mapping[str, Any], name: str) -> float:
    value = content[name]
    if type(value) not in (int, float) or math.isinf(value):
        raise ValueError(f"{name}: expected a number, found {str(value)[:40]!r}")
    return float(value)


def _scores(content: Mapping[str, Any]) -> dict[str, float]:
    return {str(name): _number(content, name) for name in content}


def _judgement(content: Mapping[str, Any] | None) -> Judgement | None:
    if content is None:
        return None
    halves = {str(name): _scores(scores) for name, scores in content["halves"].items()}
    return Judgement(_scores(content["scores"]), halves)


def _nearest(content: Mapping[str, Any] | None) -> Nearest | None:
    if content is None:
        return None
    noise = content["noise"]
    gained = Gain(_number(content, "gain"), math.inf if noise is None else _number(content, "noise"))
    return Nearest(_whole(content, "step"), _number(content, "score"), gained)


def _beats(score: float, best: float, best_by: str) -> bool:
    """Whether a score beats the best one; the first that is a number does."""
    best = _WORST[best_by] if math.isnan(best) else best
    return score < best if best_by == "mae" else score > best


def _restore_optimizer(optimizer: torch.optim.Optimizer, content: Mapping[str, Any]) -> None:
    """Take over the moments; everything else is as the options say.

    Raises:
        Exception: as `load_state_dict` does; ValueError: a moment is of another shape than its parameter.
    """
    saved = content["param_groups"]
    groups = [
        {**mine, "params": theirs["params"]}
        for mine, theirs in zip(optimizer.state_dict()["param_groups"], saved, strict=True)
    ]
    optimizer.load_state_dict({"state": content["state"], "param_groups": groups})
    for parameter, moments in optimizer.state.items():
        for name, value in moments.items():
            if not isinstance(value, Tensor) or value.shape not in {parameter.shape, ()}:
                raise ValueError(f"optimizer: {name} does not belong to a parameter {tuple(parameter.shape)}")


def _difference(found: object, expected: dict[str, Any]) -> str:
    if not isinstance(found, dict):
        return "it does not say of which"
    for name, value in expected.items():
        if found.get(name) != value:
            return f"{name}: expected {value}, found {found.get(name)}"
    return "unknown values"
