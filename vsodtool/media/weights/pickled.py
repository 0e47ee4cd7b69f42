"""PyTorch's .pth files: pickles, of which only tensors are read and nothing is executed."""

from __future__ import annotations

import io
import pickle
import pickletools
import re
import struct
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from vsodtool.errors import WeightsError

if TYPE_CHECKING:
    from torch import Tensor

# What training scripts call the tensors when they save more than these.
WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "network")
# What a pickle of plain tensors names.
_HARMLESS = re.compile(
    r"collections\.OrderedDict|torch(\.storage)?\.\w*Storage|torch\._utils\._rebuild_\w+|torch\.(Size|device|Tensor)"
)
# What torch.load raises on a file that is cut or damaged.
_UNREADABLE = (
    OSError,
    RuntimeError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    AttributeError,
    OverflowError,
    struct.error,
)
_INCOMPLETE = "get the file again; compare its size with that of the source"
_PICKLES = 5  # the format before PyTorch 1.6 is a row of so many, then the values


def read_pickled(path: Path) -> dict[str, Tensor]:
    """The named tensors of a file written by `torch.save`, on the CPU.

    A dictionary around them ({"state_dict": ...} and the like) is taken off.

    Raises:
        WeightsError: the file is incomplete, would run code, or holds something else.
    """
    import torch

    with path.open("rb") as begin:
        zipped = begin.read(2) == b"PK"
    if zipped and not zipfile.is_zipfile(path):
        raise WeightsError(f"{path} is damaged or incomplete: its end is missing", _INCOMPLETE)
    try:
        # An open file: given a path, torch.load believes in a suffix `.safetensors`.
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # the protocol of the pickle is no matter, what it does is checked
            content = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise _refusal(path, zipped) from error
    except _UNREADABLE as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise WeightsError(f"{path} is damaged or incomplete: {reason}", _INCOMPLETE) from error
    return _named_tensors(path, content)


def _named_tensors(path: Path, content: Any) -> dict[str, Tensor]:
    import torch

    hint = "expected is what torch.save(network.state_dict(), ...) writes"
    for _ in range(2):
        inner = [key for key in WRAPPERS if isinstance(content, dict) and isinstance(content.get(key), dict)]
        if inner:
            content = content[inner[0]]
    if not isinstance(content, dict) or not content:
        found = "nothing" if content == {} else type(content).__name__
        raise WeightsError(f"{path}: expected named tensors, found {found}", hint)
    for name, tensor in content.items():
        if not isinstance(name, str) or not isinstance(tensor, torch.Tensor):
            raise WeightsError(
                f"{path}: expected named tensors, found {type(tensor).__name__} '{name}'", hint
            )
    return {name: tensor.detach() for name, tensor in content.items()}


def _refusal(path: Path, zipped: bool) -> WeightsError:
    """Why PyTorch would not read the file; the pickle is looked at here, not run."""
    try:
        named = set(_named_objects(path, zipped))
    except (OSError, ValueError, zipfile.BadZipFile, KeyError):
        named = set()
    foreign = sorted(name for name in named if not _HARMLESS.fullmatch(name))
    if not foreign:
        return WeightsError(f"{path} is damaged or incomplete: no whole pickle of tensors", _INCOMPLETE)
    more = f" and {len(foreign) - 3} more" if len(foreign) > 3 else ""
    return WeightsError(
        f"{path} is refused: reading it would run code ({', '.join(foreign[:3])}{more}); nothing was run",
        "use a file of tensors only, as safetensors or torch.save(network.state_dict(), ...) write it",
    )


def _named_objects(path: Path, zipped: bool) -> Iterator[str]:
    """The classes and functions that the pickles of a file name, as far as they can be parsed."""
    if not zipped:
        with path.open("rb") as file:
            for _ in range(_PICKLES):
                yield from _names_in(file)
        return
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".pkl"):
                yield from _names_in(io.BytesIO(archive.read(name)))


def _names_in(file: IO[bytes]) -> Iterator[str]:
    strings = ["", ""]
    try:
        for operation, argument, _ in pickletools.genops(file):
            if operation.name in {"GLOBAL", "INST"}:
                yield str(argument).replace(" ", ".")
            elif operation.name == "STACK_GLOBAL":
                yield ".".join(strings[-2:])
            elif isinstance(argument, str):
                strings.append(argument)
    except (ValueError, UnicodeDecodeError, OverflowError):
        return  # the end of what is a pickle
