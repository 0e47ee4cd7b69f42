"""What a user says of SAM 2 -> its network, from a folder, the hub's cache or the hub itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vsodtool.errors import WeightsError
from vsodtool.media.weights.pretrained import (
    cached_folder,
    check_transformers,
    fetch_folder,
    is_hub_name,
    read_sam2,
    transformers_installed,
)
from vsodtool.pipelines.networks.foreign import Request
from vsodtool.types import Event

DEFAULT = "facebook/sam2.1-hiera-tiny"


@dataclass(frozen=True)
class LoadedSam2:
    """SAM 2 video with its weights.

    Attributes:
        name: of the hub, or of the folder.
        sha256: of the folder's files that say what it computes.
        network: a Sam2VideoModel, on the CPU.
        processor: its Sam2VideoProcessor.
        named: whether the user named it.
    """

    name: str
    sha256: str
    network: Any
    processor: Any
    named: bool


def load_sam2(request: Request) -> LoadedSam2 | None:
    """Load what is asked for.

    Returns:
        None where it is not wanted at any price and the library is not installed, or no weights are at hand;
        and in a dry run, where they would have to be fetched.

    Raises:
        ConfigError: the library is wanted and not installed.
        WeightsError: the weights are wanted, or named, and not to be had, or of another network.
    """
    named = request.weights if request.wanted or names_sam2(request.weights) else ""
    strict = request.wanted or named != ""
    if strict:
        check_transformers()
    elif not transformers_installed() or (request.known is not None and DEFAULT not in request.known):
        return None
    folder = _find(named or DEFAULT, request, strict=strict)
    if folder is None:
        return None
    try:
        network, processor, sha256 = read_sam2(folder)
    except WeightsError as error:
        if strict:
            raise
        request.on_event(Event("warning", message=f"sam2 is not tried: {error.message}"))
        return None
    return LoadedSam2(_name(named or DEFAULT), sha256, network, processor, named != "")


def names_sam2(text: str) -> bool:
    """Whether weights named without a method are meant for SAM 2: a folder, or a name of the hub."""
    return text != "" and (Path(text).is_dir() or (transformers_installed() and is_hub_name(text)))


def _find(name: str, request: Request, *, strict: bool) -> Path | None:
    if Path(name).is_dir():
        return Path(name)
    if not is_hub_name(name):
        raise WeightsError(
            f"expected a folder of SAM 2 video or a name of its hub, found '{name}'",
            f"say --weights {DEFAULT}, or leave it out",
        )
    found = cached_folder(name)
    if found is not None or not strict:
        return found
    if not request.wanted:
        raise WeightsError(
            f"there are no weights '{name}': no such file or folder, no such name in the hub's cache",
            f"--method sam2 fetches them from the hub, `hf download {name}` too",
        )
    if request.dry_run:
        request.on_event(Event("notice", message=f"the weights {name} would be fetched from their hub"))
        return None
    request.on_event(Event("notice", message=f"fetching the weights {name} from their hub"))
    return fetch_folder(name)


def _name(text: str) -> str:
    return Path(text).resolve().name if Path(text).is_dir() else text
