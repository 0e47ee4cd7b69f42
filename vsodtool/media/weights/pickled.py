"""PyTorch's .pth files: pickles, of which only tensors are read and nothing is executed."""

from __future__ import annotations

import io
import pickle
import pickletools
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO

from vsodtool.errors import WeightsError
from vsodtool.media.regular_file import open_regular

if TYPE_CHECKING:
    from torch import Tensor

# What training scripts call the tensors when they save more than these.
WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "network")
# What a pickle of plain tensors names.
_HARMLESS = re.compile(
    r"collections\.(OrderedDict|Counter)|torch(\.storage)?\.\w*Storage|torch\._utils\._rebuild_\w+"
    r"|torch\.(Size|device|Tensor|(float|bfloat|complex|u?int)\d\w*|bool)"
)
# Plain data that scripts keep beside the tensors: a best score, options, a path, a date. They are not needed,
# so nothing of theirs is made: an empty object stands in for each.
_DATA = (
    *(f"numpy.{core}.multiarray.{name}" for core in ("core", "_core") for name in ("scalar", "_reconstruct")),
    "numpy.dtype",
    "numpy.ndarray",
    "_codecs.encode",  # of bytes
    "argparse.Namespace",
    *(f"pathlib.{name}" for name in ("PosixPath", "PurePosixPath", "WindowsPath", "PureWindowsPath", "Path")),
    *(f"datetime.{name}" for name in ("datetime", "date", "time", "timedelta", "timezone")),
    *(f"collections.{name}" for name in ("defaultdict", "deque")),
    "decimal.Decimal",
    "fractions.Fraction",
    "uuid.UUID",
    *(
        f"{place}.{name}"
        for place in ("builtins", "__builtin__")
        for name in (
            *("set", "frozenset", "complex", "slice", "range", "xrange", "bytearray"),
            *("int", "long", "float", "bool", "str", "bytes", "list", "dict", "tuple"),
        )
    ),
)
# What torch.load raises on a file that is cut or damaged.
UNREADABLE = (
    OSError,
    RuntimeError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    OverflowError,
    MemoryError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
_INCOMPLETE = "get the file again; compare its size with that of the source"
_TENSORS_ONLY = "use a file of tensors only, as safetensors or torch.save(network.state_dict(), ...) write it"
_PICKLES = 5  # the format before PyTorch 1.6 is a row of so many, then the values
_LARGEST_GROWTH = 16  # what a zip may unpack to, in sizes of the file; weights hardly shrink


class _StandIn:
    """Takes the place of an object that is not needed, whatever it is to be made of."""

    def __new__(cls, *_: Any) -> _StandIn:
        return super().__new__(cls)

    def __init__(self, *_: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        del state


_STAND_INS: list[Any] = [(type(name.rpartition(".")[2], (_StandIn,), {}), name) for name in _DATA]


def read_pickled(path: Path) -> dict[str, Tensor]:
    """The named tensors of a file written by `torch.save`, on the CPU.

    A dictionary around them ({"state_dict": ...} and the like) is taken off.

    Raises:
        WeightsError: the file is incomplete, would run code, or holds something else.
    """
    try:
        with open_regular(path) as file:
            content = load_tensors(file)
    except pickle.UnpicklingError as error:
        raise _refusal(path, error) from error
    except UNREADABLE as error:
        raise WeightsError(f"{path} is damaged or incomplete: {first_line(error)}", _INCOMPLETE) from error
    return _named_tensors(path, content)


def load_tensors(file: BinaryIO) -> Any:
    """What `torch.save` wrote: tensors, containers, plain values, and stand-ins for other plain data.

    Nothing in the file is executed. In zips, checksums are compared: PyTorch itself does not look at them,
    and would take turned bits for weights.

    Args:
        file: an open one; given a path, torch.load believes in a suffix `.safetensors`.

    Raises:
        UnpicklingError: the pickle has more than that, or is none.
        Exception: one of `UNREADABLE`: the file is damaged or incomplete.
    """
    import torch

    if file.read(2) == b"PK":
        _check_zip(file)
    file.seek(0)
    with warnings.catch_warnings(), torch.serialization.safe_globals(_STAND_INS):
        warnings.simplefilter("ignore")  # the protocol of the pickle is no matter, what it does is checked
        return torch.load(file, map_location="cpu", weights_only=True)


def first_line(error: BaseException) -> str:
    """The first line of what an exception says, or its kind."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _check_zip(file: BinaryIO) -> None:
    size = file.seek(0, io.SEEK_END)
    try:
        archive = zipfile.ZipFile(file)
    except zipfile.BadZipFile as error:
        raise ValueError("its end is missing") from error
    with archive:
        unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > _LARGEST_GROWTH * size:
            raise ValueError(f"{size} bytes that claim to unpack to {unpacked}")
        wrong = archive.testzip()
    if wrong is not None:
        raise ValueError(f"wrong checksum of {wrong}")


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
                f"{path}: expected named tensors, found {type(tensor).__name__} '{str(name)[:80]}'", hint
            )
    return {name: tensor.detach() for name, tensor in content.items()}


def _refusal(path: Path, error: pickle.UnpicklingError) -> WeightsError:
    """Why PyTorch would not read the file; the pickle is looked at here, not run."""
    try:
        with open_regular(path) as file:
            named, whole = _named_objects(file)
    except UNREADABLE:
        named, whole = set(), False
    foreign = sorted(name for name in named if not _HARMLESS.fullmatch(name) and name not in _DATA)
    if foreign:
        more = f" and {len(foreign) - 3} more" if len(foreign) > 3 else ""
        return WeightsError(
            f"{path} is refused: reading it would run code ({', '.join(foreign[:3])}{more}); nothing was run",
            _TENSORS_ONLY,
        )
    if not whole:
        return WeightsError(f"{path} is damaged or incomplete: no whole pickle of tensors", _INCOMPLETE)
    beside = ", ".join(sorted(named.intersection(_DATA))[:3])
    return WeightsError(
        f"{path} is refused: PyTorch's safe reader does not read its pickle ({_last_sentence(error)})"
        + (f"; besides tensors it holds {beside}" if beside else ""),
        _TENSORS_ONLY,
    )


def _last_sentence(error: pickle.UnpicklingError) -> str:
    """torch.load begins with advice about weights_only; what it met comes after `WeightsUnpickler error:`."""
    return first_line(ValueError(str(error).rpartition("WeightsUnpickler error:")[2].strip()))


def _named_objects(file: BinaryIO) -> tuple[set[str], bool]:
    """The classes and functions that the pickles of a file name, and whether the first one is whole."""
    if file.read(2) != b"PK":
        file.seek(0)
        found = [_names_in(file) for _ in range(_PICKLES)]
    else:
        with zipfile.ZipFile(file) as archive:
            pickles = [name for name in archive.namelist() if name.endswith(".pkl")]
            found = [_names_in(io.BytesIO(archive.read(name))) for name in pickles]
    return {name for names, _ in found for name in names}, bool(found) and found[0][1]


def _names_in(file: IO[bytes]) -> tuple[set[str], bool]:
    """What one pickle names, and whether it is whole; what cannot be parsed ends it."""
    names: set[str] = set()
    try:
        for operation, name in _operations(file):
            names.update([name] if name else [])
            if operation == "STOP":
                return names, True
    except (ValueError, UnicodeDecodeError, OverflowError, MemoryError):
        pass  # the end of what is a pickle
    return names, False


def _operations(file: IO[bytes]) -> Iterator[tuple[str, str]]:
    """The operations of a pickle, each with the class or function that it names, "" for most.

    STACK_GLOBAL takes its two names from the stack, to which they may have come from the memo.
    """
    pushed: list[str] = ["", ""]
    memo: dict[int, str] = {}
    for operation, argument, _ in pickletools.genops(file):
        kind, name = operation.name, ""
        if kind in {"GLOBAL", "INST"}:
            name = str(argument).replace(" ", ".")
        elif kind == "STACK_GLOBAL":
            name = ".".join(pushed[-2:])
        if kind == "MEMOIZE":
            memo[len(memo)] = pushed[-1]
        elif kind in {"PUT", "BINPUT", "LONG_BINPUT"}:
            memo[int(argument or 0)] = pushed[-1]
        elif kind in {"GET", "BINGET", "LONG_BINGET"}:
            pushed.append(memo.get(int(argument or 0), ""))
        else:
            pushed.append(argument if isinstance(argument, str) else "")
        del pushed[:-2]
        yield kind, name
