"""manifest.json: what was run, with which versions and options, on which inputs, and what came of it."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import Enum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePath
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from vsodtool import __version__
from vsodtool.config.void import AUTO
from vsodtool.errors import DataError, UsageError
from vsodtool.media.atomic import write_bytes_atomically
from vsodtool.media.regular_file import read_regular
from vsodtool.types import FrameRecord, MethodChoice

RUNNING = "running"
CLEARING = "clearing"  # --overwrite is deleting old results; nothing that lies there counts
UPDATING = "updating"  # --update is making some labels of a complete run again
COMPLETE = "complete"

Entry = TypeVar("Entry")

_NO_FRAMES = {"frames": 0, "given": 0, "generated": 0, "skipped": 0}  # of a video, as it begins
_LIBRARIES = ("torch", "torchvision", "numpy", "opencv-python-headless", "imageio", "av", "transformers")


def library_versions() -> dict[str, str]:
    """Versions of Python and the libraries, without importing them; "absent" if not installed."""
    versions = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "absent"
    return versions


@dataclass(frozen=True)
class InputEntry:
    """One video in the manifest.

    Attributes:
        path: as given.
        files: number of files (1 for a video file).
        fingerprint: of names, sizes and modification times.
        masks: number of mask files used.
        masks_sha256: of their names and contents, "" without masks.
    """

    path: str
    files: int
    fingerprint: str
    masks: int = 0
    masks_sha256: str = ""


@dataclass(frozen=True)
class Manifest:
    """The content of manifest.json.

    Attributes:
        command: the verb that was run.
        config: the full configuration, in JSON types.
        inputs: by video name.
        weights: SHA-256 by weight name, empty when none were used.
        videos: per video the number of frames by status; filled when the run is complete.
        choices: the method of each video for which one was chosen; filled when the run is complete.
        cuts: indices of the first frames of all shots but the first, of each video whose shots were found;
            filled when the run is complete.
        doubts: why the masks of a video may not belong to it, of each video whose masks were looked at.
        seconds: duration of the run that completed it.
        status: running, clearing, updating or complete.
        launch: of the processes that began together with --overwrite, by which they know each other; else "".
        tool: always "vsodtool".
        version: of vsodtool.
        libraries: versions of Python and of the libraries that decode and compute.
    """

    command: str
    config: dict[str, Any]
    inputs: dict[str, InputEntry]
    weights: dict[str, str] = field(default_factory=dict)
    videos: dict[str, dict[str, int]] = field(default_factory=dict)
    choices: dict[str, MethodChoice] = field(default_factory=dict)
    cuts: dict[str, list[int]] = field(default_factory=dict)
    doubts: dict[str, list[str]] = field(default_factory=dict)
    seconds: float = 0.0
    status: str = RUNNING
    launch: str = ""
    tool: str = "vsodtool"
    version: str = __version__
    libraries: dict[str, str] = field(default_factory=library_versions)

    @property
    def void(self) -> str:
        """The id of its masks that is no object, as `--void` of the run says."""
        return str(self.config.get("void", AUTO))

    def completed(self, records: Iterable[FrameRecord], seconds: float) -> Manifest:
        """This manifest with the counts of `records`, the duration, and the status complete."""
        videos = {name: dict(_NO_FRAMES) for name in self.inputs}
        for record in records:
            counts = videos.setdefault(record.video, dict(_NO_FRAMES))
            counts["frames"] += 1
            counts[record.status.value] += 1
        return replace(self, videos=videos, seconds=round(seconds, 3), status=COMPLETE)


def plain(value: object) -> Any:
    """`value` in JSON types: paths and enums as text, tuples as lists, keys as text."""
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return [plain(item) for item in items]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write `manifest` as indented JSON, atomically.

    Raises:
        DeviceError: the file cannot be written.
    """
    text = json.dumps(asdict(manifest), indent=2, ensure_ascii=False) + "\n"
    # Names that are not UTF-8 become \udcXX, which is what JSON itself writes for them.
    write_bytes_atomically(path, text.encode("utf-8", "backslashreplace"))


def read_manifest(path: Path) -> Manifest | None:
    """Read manifest.json; None where there is none.

    Raises:
        UsageError: the file is not a manifest of this tool.
        DataError: it is damaged.
    """
    hint = "choose another output folder, or remove that file yourself"
    try:
        content = json.loads(read_regular(path))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        reason = "lists within lists without end" if isinstance(error, RecursionError) else error
        raise DataError(f"cannot read {path}: {reason}", hint) from error
    if not isinstance(content, dict) or content.get("tool") != "vsodtool":
        raise UsageError(f"{path} was not written by vsodtool", hint)
    if content.get("version") != __version__:
        # Enough to see whose it is; the rest may have another shape.
        return Manifest(str(content.get("command")), {}, {}, version=str(content.get("version")))
    try:
        inputs = {name: _checked(InputEntry(**entry)) for name, entry in content.pop("inputs").items()}
        choices = {
            name: _checked(MethodChoice(**entry)) for name, entry in content.pop("choices", {}).items()
        }
        return _checked(Manifest(inputs=inputs, choices=choices, **content))
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path} is damaged: {error}", hint) from error


def _checked(entry: Entry) -> Entry:
    """The entry, if its values are of the types that it declares.

    Raises:
        TypeError: naming the first that is not.
    """
    for name, kind in get_type_hints(type(entry)).items():
        value = getattr(entry, name)
        if not _is_of(value, kind):
            raise TypeError(f"'{name}' is {value!r:.60}")
    return entry


def _is_of(value: object, kind: Any) -> bool:
    if kind is Any:
        return True
    outer, inner = get_origin(kind) or kind, get_args(kind)
    number = outer in (int, float) and not isinstance(value, bool)
    if not (isinstance(value, int | outer) if number else isinstance(value, outer)):
        return False
    if isinstance(value, dict):
        return all(_is_of(key, inner[0]) and _is_of(item, inner[1]) for key, item in value.items())
    if isinstance(value, list):
        return all(_is_of(item, inner[0]) for item in value)
    return True
