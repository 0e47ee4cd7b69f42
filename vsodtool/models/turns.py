"""Which thread computes, where several ask a network at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

import torch

Given = ParamSpec("Given")
Result = TypeVar("Result")


class Turns:
    """Calls of several threads: on CPUs each computes by itself, elsewhere one thread computes for all.

    A GPU gains nothing from several, and cuDNN plans every convolution anew for each size of its input and
    for each thread: 3 ms, where the convolution itself takes .15 (H200).

    Args:
        device: that computes.
    """

    def __init__(self, device: torch.device) -> None:
        self._thread = None if device.type == "cpu" else ThreadPoolExecutor(1, "network")

    def call(self, work: Callable[Given, Result], *given: Given.args, **named: Given.kwargs) -> Result:
        """`work` of these arguments; not from inside another call."""
        if self._thread is None:
            return work(*given, **named)
        return self._thread.submit(work, *given, **named).result()
