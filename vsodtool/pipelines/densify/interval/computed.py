"""What methods compute of labelled frames and intervals, kept while it is asked for."""

from __future__ import annotations

import threading
import weakref
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


class OfLiving(Generic[Result]):
    """What was computed of things, for as long as these live."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[int, tuple[object, dict[Hashable, Result]]] = {}

    def get(self, thing: object, key: Hashable, compute: Callable[[], Result]) -> Result:
        """What was computed of this very thing under a key, or now is; from several threads at once."""
        place, kept = id(thing), self._kept
        with self._lock:  # also while computing: the others want the same
            if place not in self._kept:
                # Whoever dies may do so in any thread, so no lock: its place is its own until then.
                self._kept[place] = weakref.ref(thing, lambda _: kept.pop(place)), {}
            results = self._kept[place][1]
            if key not in results:
                results[key] = compute()
            return results[key]
