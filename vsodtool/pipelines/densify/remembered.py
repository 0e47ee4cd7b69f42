"""What was computed of frames and labels, kept for when the same is asked again after a correction."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar, cast

import numpy as np
from torch import Tensor

from vsodtool.types import FlowEstimator, ImageArray

MOST_BYTES = 512 * 2**20

Result = TypeVar("Result")


class Remembered:
    """Results by what they were made of; of more than `most_bytes` the longest unused are forgotten.

    Keys are digests of all that goes into a result, so that nothing has to be told when something changes.
    May be used from several threads.

    Args:
        most_bytes: of the tensors in the results.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes, self._bytes = most_bytes, 0
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[object, int]] = OrderedDict()

    def get(self, key: str, compute: Callable[[], tuple[Result, list[Tensor]]]) -> Result:
        """What was computed under a key, or now is.

        Args:
            key: see `digest`.
            compute: gives the result and the tensors that make up its size; nobody changes them afterwards.
        """
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return cast(Result, self._kept[key][0])
        result, tensors = compute()
        size = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = (result, size)
                self._bytes += size
            while self._bytes > self._most_bytes:
                self._bytes -= self._kept.popitem(last=False)[1][1]
        return result


class RememberedFlow:
    """An estimator that answers from what was remembered, where it was asked the same before.

    A corrected mask leaves the frames as they were, and mostly where their flow is looked for.

    Args:
        estimator: answers what is new.
        remembered: keeps its answers.
    """

    def __init__(self, estimator: FlowEstimator, remembered: Remembered) -> None:
        self._estimator, self._remembered = estimator, remembered

    @property
    def name(self) -> str:
        """That of the estimator."""
        return self._estimator.name

    def estimate(self, image_a: Tensor, image_b: Tensor, *, initial: Tensor | None = None) -> Tensor:
        """See `FlowEstimator`; nobody changes the answer."""

        def anew() -> tuple[Tensor, list[Tensor]]:
            flow = self._estimator.estimate(image_a, image_b, initial=initial)
            return flow, [flow]

        return self._remembered.get(digest("flow", self.name, image_a, image_b, initial), anew)


def digest(*parts: Tensor | ImageArray | object) -> str:
    """Of pictures, tensors and values that say what they are by `repr`."""
    found = hashlib.sha256()
    for part in parts:
        array = part.detach().cpu().numpy() if isinstance(part, Tensor) else part
        if isinstance(array, np.ndarray):
            found.update(f"{array.dtype}{array.shape}".encode())
            found.update(np.ascontiguousarray(array).data)
        else:
            found.update(f"{array!r};".encode())
    return found.hexdigest()
