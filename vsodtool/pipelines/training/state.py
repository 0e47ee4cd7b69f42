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

_OPTIMIZERS: dict[str, type[torch.optim.Adam]] = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
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


@dataclass
class TrainState:
    """Everything that a run continues from.

    Attributes:
        network: being trained, on the device.
        optimizer: of its parameters.
        ema: running mean of its weights, None if there is none.
        step: steps done.
        validated: the step after which was validated last.
        saved: the step of the newest checkpoint.
        best_score: the best validation score, by `best_by`.
        best_step: the step that it belongs to, -1 before the first validation.
        scores: of the last validation.
        seconds: of training, over all runs.
    """

    network: Network
    optimizer: torch.optim.Optimizer
    ema: Ema | None
    step: int = 0
    validated: int = 0
    saved: int = 0
    best_score: float = math.nan
    best_step: int = -1
    scores: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def judged(self) -> Network:
        """The network that is validated and kept."""
        return self.network if self.ema is None else self.ema.network

    def is_better(self, score: float, best_by: str) -> bool:
        """Whether a score beats the best one; the first that is a number does."""
        best = _WORST[best_by] if math.isnan(self.best_score) else self.best_score
        return score < best if best_by == "mae" else score > best

    def as_dict(self) -> dict[str, Any]:
        """Tensors and plain values."""
        return {
            "vsodtool": __version__,
            "architecture": self.network.architecture.as_dict(),
            "network": self.network.state_dict(),
            "ema": None if self.ema is None else self.ema.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "validated": self.validated,
            "best_score": self.best_score,
            "best_step": self.best_step,
            "scores": dict(self.scores),
            "seconds": self.seconds,
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
            _restore_optimizer(self.optimizer, content["optimizer"])
            self.step = self.saved = _whole(content, "step")
            self.validated, self.best_step = _whole(content, "validated"), _whole(content, "best_step", -1)
            self.best_score, self.seconds = _number(content, "best_score"), _number(content, "seconds")
            self.scores = {str(name): _number(content["scores"], name) for name in content["scores"]}
        except (LookupError, RuntimeError, ValueError, TypeError, AttributeError, AssertionError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
            raise WeightsError(
                f"{where} does not fit this run: {reason}", "start the run again with --overwrite"
            ) from error


def create_state(config: TrainConfig, network: Network) -> TrainState:
    """The state before the first step."""
    return TrainState(
        network, create_optimizer(config, network), Ema(network, config.ema) if config.ema > 0 else None
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
