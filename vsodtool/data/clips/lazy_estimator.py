"""A flow estimator in processes that read data."""

from __future__ import annotations

import threading
from collections.abc import Callable

from vsodtool.types import FlowEstimator


class LazyEstimator:
    """An estimator made when it is first needed; left behind when the dataset is sent to another process."""

    def __init__(self) -> None:
        self._made: FlowEstimator | None = None
        self._lock = threading.Lock()

    def get(self, make: Callable[[], FlowEstimator]) -> FlowEstimator:
        """The estimator of this process."""
        with self._lock:
            if self._made is None:
                self._made = make()
            return self._made

    def __getstate__(self) -> dict[str, object]:
        return {}

    def __setstate__(self, state: dict[str, object]) -> None:
        del state
        self._made = None
        self._lock = threading.Lock()
