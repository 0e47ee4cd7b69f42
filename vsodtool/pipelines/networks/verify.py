"""`vsodtool weights verify`: are the files what they are declared to be?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vsodtool.errors import WeightsError
from vsodtool.media.weights.checkpoints import packaged_path, torchvision_weights_path
from vsodtool.media.weights.files import check_sha256, sha256_of_weights
from vsodtool.models.weights.entry import BUNDLED, EXTERNAL, FETCHED, PACKAGED, WeightsEntry, WeightsRegistry
from vsodtool.models.weights.registry import REGISTRY
from vsodtool.pipelines.networks.load import LoadedNetwork, load_network
from vsodtool.types import Event, OnEvent, ignore_event

INTACT, NOT_FETCHED, DAMAGED = "intact", "not fetched", "damaged"
_CARD = ("data", "licence", "recipe", "seed", "scores")  # headings of a card, in any case


@dataclass(frozen=True)
class VerifiedWeights:
    """What was found of one weight file.

    Attributes:
        name: of the registry, or of the file.
        state: intact, not fetched or damaged.
        path: where it was looked for.
        sha256: of the file; "" unless it is intact.
        architecture: of the network, in words; "" for parts made by others.
        parameters: of the network; 0 for parts made by others.
        problem: what is wrong; "" if nothing.
    """

    name: str
    state: str
    path: Path
    sha256: str = ""
    architecture: str = ""
    parameters: int = 0
    problem: str = ""

    def as_dict(self) -> dict[str, Any]:
        """In JSON types."""
        return {**vars(self), "path": str(self.path)}


@dataclass(frozen=True)
class _Source:
    url: str


def verify_all(*, registry: WeightsRegistry = REGISTRY) -> list[VerifiedWeights]:
    """Look at every bundled file, at what torchvision has fetched so far and at packages that are installed.

    Nothing is downloaded.
    """
    found = []
    for entry in registry.entries:
        if entry.origin == EXTERNAL or (entry.origin == PACKAGED and not _is_installed(entry)):
            continue
        path = _path(entry, registry)
        if entry.origin == FETCHED and not path.exists():
            found.append(VerifiedWeights(entry.name, NOT_FETCHED, path))
            continue
        try:
            found.append(verify_weights(entry.name, registry=registry))
        except WeightsError as error:
            found.append(VerifiedWeights(entry.name, DAMAGED, path, problem=error.message))
    return found


def verify_weights(
    name_or_file: str,
    *,
    sha256: str = "",
    registry: WeightsRegistry = REGISTRY,
    on_event: OnEvent = ignore_event,
) -> VerifiedWeights:
    """Look at one weight file: hash, values, every tensor's name and shape, what the registry says of it.

    Args:
        name_or_file: a name of the registry, or a file.
        sha256: what the hash must begin with, besides what the registry says; "" = anything.
        registry: where names are looked up.
        on_event: hears what would be left out.

    Raises:
        WeightsError: it is not there, or not what it should be.
    """
    entry = registry.find(name_or_file)
    if entry is not None and entry.origin in {FETCHED, PACKAGED}:
        return _fetched(entry, _path(entry, registry), sha256)
    loaded = load_network(name_or_file, registry=registry)
    check_sha256(loaded.path, loaded.sha256, sha256)
    if entry is not None:
        _check_entry(entry, loaded, registry)
    for notice in loaded.notices:
        on_event(Event("notice", message=notice))
    return VerifiedWeights(
        name=loaded.name,
        state=INTACT,
        path=loaded.path,
        sha256=loaded.sha256,
        architecture=str(loaded.architecture),
        parameters=sum(parameter.numel() for parameter in loaded.network.parameters()),
    )


def _fetched(entry: WeightsEntry, path: Path, sha256: str) -> VerifiedWeights:
    if not path.exists():
        raise WeightsError(f"the weights '{entry.name}' are not at {path}", entry.obtain)
    found = sha256_of_weights(path)
    for expected in (entry.sha256, sha256):
        check_sha256(path, found, expected)
    return VerifiedWeights(entry.name, INTACT, path, found)


def _path(entry: WeightsEntry, registry: WeightsRegistry) -> Path:
    if entry.origin == PACKAGED:
        return packaged_path(*_package(entry))
    return (
        registry.path(entry) if entry.origin == BUNDLED else torchvision_weights_path(_Source(entry.source))
    )


def _package(entry: WeightsEntry) -> tuple[str, str]:
    """The package that holds these weights, and their file in it."""
    from vsodtool.models.backbones.imagenet import PACKAGED as FILES  # imports torchvision

    return next((package, file) for package, file in FILES.values() if Path(file).name == entry.file)


def _is_installed(entry: WeightsEntry) -> bool:
    try:
        packaged_path(*_package(entry))
    except WeightsError:
        return False
    return True


def _check_entry(entry: WeightsEntry, loaded: LoadedNetwork, registry: WeightsRegistry) -> None:
    """Compare a bundled file with its entry and its card.

    Raises:
        WeightsError: they differ; the file, the entry or the card must be made anew.
    """
    size = loaded.path.stat().st_size
    for what, declared, found in (
        ("size", entry.size, size),
        ("kind", entry.kind, loaded.architecture.kind),
        ("architecture", entry.architecture, loaded.architecture),
        ("preprocessing", entry.preprocessing, loaded.preprocessing),
    ):
        if declared != found:
            raise WeightsError(f"{loaded.path}: {what}: the registry says {declared}, the file {found}")
    card = registry.card(entry)
    if not card.is_file():
        raise WeightsError(
            f"{entry.name} has no card {card}", "write its data, licence, recipe, seed and scores"
        )
    headings = {line.lstrip("# ").strip().lower() for line in _lines(card) if line.startswith("#")}
    absent = [heading for heading in _CARD if heading not in headings]
    if absent:
        raise WeightsError(f"{card} does not say its {', '.join(absent)}", "add a section of that name")


def _lines(card: Path) -> list[str]:
    return card.read_text(encoding="utf-8").splitlines()
