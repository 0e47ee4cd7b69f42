"""Weight files of any origin -> named tensors that are what they claim to be."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vsodtool.errors import DataError, WeightsError
from vsodtool.media.fingerprint import file_sha256
from vsodtool.media.regular_file import open_regular
from vsodtool.media.weights.pickled import read_pickled
from vsodtool.media.weights.safetensors_files import read_safetensors

if TYPE_CHECKING:
    from torch import Tensor

_LFS = b"version https://git-lfs.github.com/spec/"
_HEAD = 512
_LONGEST_HEADER = 100_000_000  # bytes; the limit of the safetensors format


@dataclass(frozen=True)
class WeightFile:
    """What a weight file holds.

    Attributes:
        path: where it was read.
        tensors: by name, on the CPU, all values finite.
        metadata: the text beside them; a .pth has none.
        sha256: of the whole file.
    """

    path: Path
    tensors: dict[str, Tensor]
    metadata: dict[str, str]
    sha256: str


def read_weights(path: Path, *, sha256: str = "") -> WeightFile:
    """Read a safetensors file or a .pth; the content decides which it is, not the suffix.

    Args:
        path: the file.
        sha256: what its SHA-256 must begin with; "" = anything.

    Raises:
        WeightsError: the file is missing, incomplete, of another hash, no weight file, would run code, or
            holds values that are not finite.
    """
    safe = _is_safetensors(path)
    digest = sha256_of_weights(path)
    check_sha256(path, digest, sha256)
    tensors, metadata = read_safetensors(path) if safe else (read_pickled(path), {})
    if not tensors:
        raise WeightsError(f"{path} holds no tensors", "check where the file comes from")
    _check_values(path, tensors)
    return WeightFile(path, tensors, metadata, digest)


def check_sha256(path: Path, found: str, expected: str) -> None:
    """Compare the hash of a file with one that was published, or with the begin of one.

    Raises:
        WeightsError: they differ.
    """
    if not found.startswith(expected.lower()):
        raise WeightsError(
            f"{path}: wrong SHA-256: expected {expected}, found {found}",
            "the file is damaged or another one: get it again",
        )


def sha256_of_weights(path: Path) -> str:
    """SHA-256 of a weight file.

    Raises:
        WeightsError: it cannot be read.
    """
    try:
        return file_sha256(path)
    except DataError as error:
        raise WeightsError(error.message, error.hint) from error


def _is_safetensors(path: Path) -> bool:
    """True: safetensors, False: a pickle or a zip with one.

    Raises:
        WeightsError: it is neither, or is not there.
    """
    again = "get the file itself from its source"
    if path.is_dir():
        own = sorted(path.glob("*.safetensors"))  # of a run of `train` the best come first
        inside = f": {own[0]}" if own else ""
        raise WeightsError(f"{path} is a folder, expected a weight file", f"name the file inside it{inside}")
    try:
        size = path.stat().st_size
        with open_regular(path) as file:
            head = file.read(_HEAD)
    except FileNotFoundError as error:
        raise WeightsError(f"there is no weight file {path}", "check the path") from error
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror}", "check its permissions") from error
    if not head:
        raise WeightsError(f"{path} is empty", again)
    if head.startswith(_LFS):
        raise WeightsError(
            f"{path} is a Git LFS pointer, not the weights that it stands for",
            "run `git lfs pull` in the repository that it comes from",
        )
    # Asked first: the length of a header may begin with the byte that a pickle begins with.
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= _LONGEST_HEADER:
        return True
    if head.startswith((b"PK\x03\x04", b"\x80")):
        return False
    if head.lstrip().lower().startswith((b"<!doctype", b"<html")):
        raise WeightsError(f"{path} is a web page, not a weight file", "download the file behind that page")
    if _is_text(head):
        raise WeightsError(f"{path} is a text file, not a weight file", again)
    raise WeightsError(
        f"{path} ({size} bytes) is neither a safetensors file nor one of torch.save, or its begin is missing",
        again,
    )


def _is_text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        text = head[: error.start].decode("utf-8") if error.start > len(head) - 4 else ""
    return bool(text)


def _check_values(path: Path, tensors: dict[str, Tensor]) -> None:
    """Require ordinary tensors of finite numbers.

    Raises:
        WeightsError: naming the first that is not.
    """
    for name, tensor in tensors.items():
        if not _is_ordinary(tensor):
            raise WeightsError(f"{path}: '{name}' is no ordinary tensor", "store dense, real tensors")
    bad = [name for name, tensor in tensors.items() if not _is_finite(tensor)]
    if bad:
        raise WeightsError(
            f"{path}: {len(bad)} of {len(tensors)} tensors hold values that are not finite, first '{bad[0]}'",
            "its training failed, or the file is damaged: use another",
        )


def _is_ordinary(tensor: Tensor) -> bool:
    """Dense, of a usual type, and not larger than the memory behind it (a stride of 0 needs almost none)."""
    import torch

    types = (torch.float64, torch.float32, torch.float16, torch.bfloat16)
    usual = tensor.dtype in (
        *types,
        torch.int64,
        torch.int32,
        torch.int16,
        torch.int8,
        torch.uint8,
        torch.bool,
    )
    if not usual or tensor.layout is not torch.strided or tensor.device.type != "cpu":
        return False
    return tensor.numel() * tensor.element_size() <= tensor.untyped_storage().nbytes()


def _is_finite(tensor: Tensor) -> bool:
    import torch

    if tensor.numel() == 0 or not tensor.is_floating_point():
        return True
    low, high = torch.aminmax(tensor)  # nan is passed on; one pass and no copy, unlike isfinite
    return bool(torch.isfinite(low) and torch.isfinite(high))
