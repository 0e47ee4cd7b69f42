"""What is declared about a weight file: where it comes from, what it is, what it may be used for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vsodtool.config import shipped_path
from vsodtool.models.architecture import Architecture
from vsodtool.models.evidence.architecture import EvidenceArchitecture
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.u2net.architecture import U2NetArchitecture

BUNDLED, EXTERNAL, FETCHED, PACKAGED = "bundled", "external", "fetched", "packaged"
ORIGINS = (BUNDLED, EXTERNAL, FETCHED, PACKAGED)
FLOW, BACKBONE = "flow", "backbone"


@dataclass(frozen=True, kw_only=True)
class WeightsEntry:
    """A row of the registry.

    Attributes:
        name: what users call it.
        kind: image, video, fgplg, fused, densifier, u2net (networks), flow or backbone (parts made by
            others).
        origin: bundled (comes with vsodtool), external (the user gets the file), fetched (by torchvision,
            when it is first needed), packaged (inside a Python package that the user installs).
        summary: what it was trained on, in one line.
        file: its name in `weights/`, at its source, or in torch's cache.
        sha256: of the file; torchvision publishes the first digits only, "" where nothing is published.
        size: bytes; exact if bundled, to a thousandth if fetched, 0 if unknown.
        licence: of the weights, as far as it is stated.
        source: URL of where it comes from; if bundled, the file of the recipe that made it.
        obtain: what to do to have it; "" if nothing.
        architecture: of the network; None for parts made by others.
        preprocessing: likewise.
        scores: {data set: {score: value}}, measured by vsodtool itself.
        default: stands in where a command that takes this kind is given no weights.
    """

    name: str
    kind: str
    origin: str
    summary: str
    file: str
    sha256: str
    size: int
    licence: str
    source: str
    obtain: str = ""
    architecture: Architecture | EvidenceArchitecture | U2NetArchitecture | None = None
    preprocessing: Preprocessing | None = None
    scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    default: bool = False

    @property
    def place(self) -> str:
        """Where it comes from, in short: the source without protocol and file."""
        return self.source.split("://")[-1].removesuffix(f"/{self.file}")

    def as_dict(self) -> dict[str, Any]:
        """In JSON types."""
        values = dict(vars(self))
        for name in ("architecture", "preprocessing"):
            values[name] = values[name].as_dict() if values[name] else None
        return {**values, "scores": {name: dict(scores) for name, scores in self.scores.items()}}


@dataclass(frozen=True)
class WeightsRegistry:
    """All that is declared.

    Attributes:
        entries: in the order in which they are shown.
        folder: of the bundled files; None = where those of this installation lie.
    """

    entries: tuple[WeightsEntry, ...]
    folder: Path | None = None

    def find(self, name: str) -> WeightsEntry | None:
        """The entry of that name."""
        return next((entry for entry in self.entries if entry.name == name), None)

    def default(self, kinds: tuple[str, ...]) -> WeightsEntry | None:
        """The bundled entry that stands in where no weights are named; the first of `kinds` that has one."""
        usable = [entry for entry in self.entries if entry.default and entry.origin == BUNDLED]
        return next((entry for kind in kinds for entry in usable if entry.kind == kind), None)

    def path(self, entry: WeightsEntry) -> Path:
        """Where the file of a bundled entry belongs."""
        return (self.folder or shipped_path("weights")) / entry.file

    def card(self, entry: WeightsEntry) -> Path:
        """Where the card of a bundled entry belongs: its data, licence, recipe, seed and scores."""
        return self.path(entry).with_name(f"{entry.name}.md")
