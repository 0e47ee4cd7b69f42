"""`vsodtool weights list` and `show`: the registry, and what of it lies here. Quick: no torch."""

from __future__ import annotations

from typing import Any

from vsodtool.errors import WeightsError
from vsodtool.models.weights.entry import BUNDLED, WeightsEntry, WeightsRegistry
from vsodtool.models.weights.registry import REGISTRY


def list_weights(*, registry: WeightsRegistry = REGISTRY) -> list[WeightsEntry]:
    """All that is declared: bundled, external, fetched."""
    return list(registry.entries)


def show_weights(name: str, *, registry: WeightsRegistry = REGISTRY) -> dict[str, Any]:
    """Everything about one entry, in JSON types; `path` and `card` are where a bundled one lies, else "".

    Raises:
        WeightsError: there is none of that name.
    """
    entry = registry.find(name)
    if entry is None:
        names = ", ".join(entry.name for entry in registry.entries)
        raise WeightsError(
            f"no weights are called '{name}': expected one of {names}",
            "for a file: `vsodtool weights verify FILE`",
        )
    bundled = entry.origin == BUNDLED
    return {
        **entry.as_dict(),
        "path": str(registry.path(entry)) if bundled else "",
        "card": str(registry.card(entry)) if bundled else "",
    }
