"""How methods whose networks are of another library get them: `config.methods.DensifierMethod.foreign`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

from vsodtool.config.methods import METHODS
from vsodtool.types import OnEvent, ignore_event


class Foreign(Protocol):
    """A network of another library, with its weights."""

    @property
    def name(self) -> str:
        """As written into manifests."""
        ...

    @property
    def sha256(self) -> str:
        """Digest of all that it was read from."""
        ...

    @property
    def named(self) -> bool:
        """Whether its weights are those that the user named, and so no other method's."""
        ...


@dataclass(frozen=True)
class Request:
    """What is asked of the function that a line of the table names.

    Attributes:
        weights: what the user named, for this method or another one; "" for nothing.
        wanted: the method was asked for by its name; else it is one that `auto` may try, and nothing is
            fetched for it.
        known: names of the weights that an earlier run into the same folder was begun with, so that `auto`
            goes on with the methods of then whatever was installed since; None where there was none.
        dry_run: nothing is fetched at all.
        on_event: hears of a download.
    """

    weights: str = ""
    wanted: bool = False
    known: frozenset[str] | None = None
    dry_run: bool = False
    on_event: OnEvent = ignore_event


LoadForeign = Callable[[Request], Foreign | None]


def load_foreign(method: str, request: Request) -> Foreign | None:
    """The network of a method; None where auto does without, and in a dry run that would have to fetch it.

    Raises:
        ConfigError: its library is asked for and not installed.
        WeightsError: its weights are asked for and not to be had.
    """
    module, function = METHODS[method].foreign.split(":")
    load: LoadForeign = getattr(import_module(module), function)
    return load(request)
