"""The loop: batches -> gradients -> steps, with validations and checkpoints at their times."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from vsodtool.errors import UsageError
from vsodtool.models.rcrnet.seeded_dropout import SeededDropout2d
from vsodtool.pipelines.training.batches import Batch
from vsodtool.pipelines.training.frozen import FrozenEncoder
from vsodtool.pipelines.training.interrupt import StopRequest
from vsodtool.pipelines.training.processes import World
from vsodtool.pipelines.training.run import Plan
from vsodtool.pipelines.training.state import TrainState
from vsodtool.pipelines.training.task import Forward


@dataclass(frozen=True)
class StepResult:
    """What one step was like.

    Attributes:
        loss: mean over all processes and accumulated parts.
        gradient: norm of the gradient, before it was clipped.
        rate: the learning rate.
        seconds: of the whole step.
        waited: seconds of it that were spent waiting for data.
    """

    loss: float
    gradient: float
    rate: float
    seconds: float
    waited: float


class NotFiniteError(UsageError):
    """The loss or the gradient is no finite number: the training went wrong (exit 2)."""


class Loop:
    """Steps of one training in one process.

    Args:
        forward: batches through the network.
        state: changed by every step.
        plan: how long and how fast.
        world: the processes.
        dropouts: of the network.
        frozen: the network, if what its encoder sees is remembered.
    """

    def __init__(
        self,
        forward: Forward,
        state: TrainState,
        plan: Plan,
        world: World,
        dropouts: Sequence[SeededDropout2d] = (),
        *,
        frozen: FrozenEncoder | None = None,
    ) -> None:
        self._forward, self._state, self._plan, self._world = forward, state, plan, world
        self._dropouts, self._frozen = dropouts, frozen
        self._learned = [parameter for parameter in state.network.parameters() if parameter.requires_grad]
        self._network: nn.Module = frozen or state.network
        if world.is_parallel:
            ids = [world.device] if world.device.type == "cuda" else None
            # Statistics of batch norms are those of the first process: see docs/training.md.
            self._network = DistributedDataParallel(self._network, device_ids=ids)

    def run(
        self,
        batches: Iterator[Batch],
        stop: StopRequest,
        after_step: Callable[[StepResult], None],
    ) -> bool:
        """Do steps until the end of the plan or until somebody asks to stop.

        Args:
            batches: of the steps from `state.step` on.
            stop: looked at between steps.
            after_step: called after each step; validates and saves.

        Returns:
            Whether the plan is finished.

        Raises:
            NotFiniteError: the loss or the gradient is no finite number; nothing of this step is saved.
        """
        while self._state.share(self._plan) < 1:
            result, stopped = self._step(batches, stop)
            self._state.step += 1
            self._state.seconds += result.seconds
            if self._state.ema is not None:
                self._state.ema.update(self._state.network, self._state.step)
            after_step(result)
            if stopped and self._state.share(self._plan) < 1:
                return False
        return True

    def _step(self, batches: Iterator[Batch], stop: StopRequest) -> tuple[StepResult, bool]:
        began, waited = time.perf_counter(), 0.0
        optimizer, plan = self._state.optimizer, self._plan
        rate = plan.rate(self._state.step, self._state.seconds)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad(set_to_none=True)
        total = torch.zeros((), device=self._world.device)
        for part in range(plan.accumulate):
            asked = time.perf_counter()
            batch = next(batches)
            waited += time.perf_counter() - asked
            with self._without_exchange(part < plan.accumulate - 1):
                loss = self._loss(batch) / plan.accumulate
                torch.autograd.backward(loss)
            total += loss.detach()
        mean, stopped, seconds = self._agree(total, stop, began)
        gradient = self._finite(mean)
        optimizer.step()
        return StepResult(mean, gradient, rate, seconds, waited), stopped

    def _loss(self, batch: Batch) -> Tensor:
        device = self._world.device
        data = batch.data.to(device, non_blocking=device.type == "cuda")
        for dropout in self._dropouts:
            dropout.seeds = batch.seeds
        if self._frozen is not None:
            self._frozen.samples = batch.seeds
        return self._forward(self._network, data).loss

    def _without_exchange(self, wanted: bool) -> AbstractContextManager[None]:
        """Gradients are exchanged between the processes once per step, with its last part."""
        if wanted and isinstance(self._network, DistributedDataParallel):
            return self._network.no_sync()
        return nullcontext()

    def _agree(self, loss: Tensor, stop: StopRequest, began: float) -> tuple[float, bool, float]:
        """The mean loss, whether any process was asked to stop, and how long the step took: of all alike."""
        own = (float(stop.asked), time.perf_counter() - began)
        mean, asked, seconds = self._world.mean(torch.stack([loss, *map(loss.new_tensor, own)])).tolist()
        return mean, asked > 0, seconds

    def _finite(self, loss: float) -> float:
        """The norm of the gradient, which is clipped if the plan says so.

        Raises:
            NotFiniteError: it or the loss is not finite.
        """
        gradients = [parameter.grad for parameter in self._learned if parameter.grad is not None]
        total = nn.utils.get_total_norm(gradients)
        norm = float(total)
        if not (math.isfinite(loss) and math.isfinite(norm)):
            what = f"the loss is {loss}" if not math.isfinite(loss) else f"the gradient is {norm}"
            raise NotFiniteError(
                f"step {self._state.step + 1}: {what}; the checkpoint of step {self._state.saved} is kept",
                "lower --learning-rate, set clip_gradient or use --precision fp32, and start again",
            )
        if self._plan.clip_gradient:
            nn.utils.clip_grads_with_norm_(self._learned, self._plan.clip_gradient, total)
        return norm
