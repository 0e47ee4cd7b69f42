"""What methods compute of a labelled frame, kept while its intervals are made."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class OfLatest(Generic[Result]):
    """What was computed of the latest labelled frames, or their pictures: the same for all between them."""

    def __init__(self, remembered: int = 8) -> None:
        """Nothing is known.

        Args:
            remembered: frames; of each all is kept, for n objects n times as much as for one.
        """
        self._remembered = remembered
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, tuple[object, dict[Hashable, Result]]] = OrderedDict()

    def get(self, known: object, key: Hashable, compute: Callable[[], Result]) -> Result:
        """What was computed of this very thing under a key, or now is; from several threads at once."""
        with self._lock:  # also while computing: the others want the same
            # The thing is kept beside it, so its id stays its own.
            _, results = self._kept.setdefault(id(known), (known, {}))
            self._kept.move_to_end(id(known))
            while len(self._kept) > self._remembered:
                self._kept.popitem(last=False)
            if key not in results:
                results[key] = compute()
            return results[key]
