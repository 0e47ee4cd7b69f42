"""Where annotations lie: a file, a folder or a zip, behind one face. Nothing is ever unpacked to the disk."""

from __future__ import annotations

import os
import weakref
import zipfile
import zlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from vsodtool.checks import check_regular
from vsodtool.errors import DataError
from vsodtool.media.regular_file import read_regular

LARGEST = 2 * 1024**3  # bytes of one file that is read whole
_BOMB_SIZE, _BOMB_RATIO = 64 * 1024**2, 200
_MOST_MEMBERS = 1_000_000
_TRUSTED = "unpack it yourself if you trust it, and give the folder"


class Source:
    """A file, folder or zip with annotations in it.

    Args:
        path: where it lies.

    Raises:
        DataError: there is nothing there, or it is a zip that cannot be read, is encrypted, or unpacks to
            what no export unpacks to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.parsed: dict[str, Any] = {}  # name -> content of the JSON that was parsed last
        self.keys: dict[str, set[str] | None] = {}  # name -> those of its JSON, see json_tree.py
        self._zip: zipfile.ZipFile | None = None
        if path.is_dir():
            return
        try:
            check_regular(path)
            with path.open("rb") as file:
                zipped = file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
            if zipped:
                self._zip = zipfile.ZipFile(path)
                weakref.finalize(self, self._zip.close)  # drawn from until the last mask is done
        except OSError as error:
            raise DataError(
                f"{path}: expected annotations, found a file that cannot be read: {error.strerror or error}",
                "check the path and its permissions",
            ) from error
        except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            raise DataError(
                f"{path}: expected a zip, found a damaged one: {error}", "export it again"
            ) from error
        if self._zip is not None:
            _check_members(path, self._zip.infolist())

    @property
    def is_file(self) -> bool:
        """Whether it is a single file, neither a folder nor a zip."""
        return self._zip is None and not self.path.is_dir()

    @cached_property
    def kind(self) -> str:
        """What a single file is by how it begins, ".json" or ".xml"; else its suffix, in lower case.

        Raises:
            DataError: it cannot be read.
        """
        try:
            with self.path.open("rb") as file:
                start = file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
        except OSError as error:
            raise DataError(
                f"{self.path}: expected annotations, found a file that cannot be read: {error.strerror}",
                "check the path and its permissions",
            ) from error
        return {b"{": ".json", b"[": ".json", b"<": ".xml"}.get(start, self.path.suffix.lower())

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The files in it, as paths with `/` from its root, sorted; hidden ones are left out.

        Raises:
            DataError: it holds more than a million files.
        """
        if self.is_file:
            return (self.path.name,)
        if self._zip is not None:
            found = [member.filename for member in self._zip.infolist() if not member.is_dir()]
        else:
            found = []
            for folder, folders, files in os.walk(self.path):
                folders[:] = [name for name in folders if not name.startswith(".")]
                found += [(Path(folder) / name).relative_to(self.path).as_posix() for name in files]
                if len(found) > _MOST_MEMBERS:
                    raise DataError(
                        f"{self.path}: expected a folder of annotations, found over {_MOST_MEMBERS} files",
                        "name the file or folder that holds them",
                    )
        return tuple(sorted(name for name in found if not PurePosixPath(name).name.startswith(("._", "."))))

    def files_of(self, suffix: str) -> tuple[str, ...]:
        """The files of a kind (".json"): by suffix in folders and zips, a single file by how it begins.

        Raises:
            DataError: as `kind` and `names`.
        """
        if self.is_file:
            return self.names if self.kind == suffix else ()
        return tuple(name for name in self.names if name.lower().endswith(suffix))

    def place(self, name: str) -> str:
        """How messages name a file in it."""
        if self.is_file:
            return str(self.path)
        return f"{self.path}: {name}" if self._zip is not None else str(self.path / name)

    def read(self, name: str) -> bytes:
        """The bytes of a file in it.

        Raises:
            DataError: it cannot be read, is damaged, or larger than 2 GiB.
        """
        try:
            if self._zip is not None:
                member = self._zip.getinfo(name)
                self._check_size(name, member.file_size)
                with self._zip.open(member) as file:
                    return file.read(member.file_size + 1)[: member.file_size]
            path = self.path if self.is_file else self.path / name
            self._check_size(name, path.stat().st_size)
            return read_regular(path)
        except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, KeyError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else error
            raise DataError(
                f"{self.place(name)}: expected annotations, found a file that cannot be read: {reason}",
                "export it again",
            ) from error

    def first_line(self, name: str) -> bytes:
        """The first line of a text, of at most 64 KiB, without a byte-order mark.

        Raises:
            DataError: as `read`.
        """
        return self.read(name)[:65536].removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0]

    def _check_size(self, name: str, size: int) -> None:
        if size > LARGEST:
            raise DataError(
                f"{self.place(name)}: expected at most 2 GiB, found {size / 1024**3:.1f} GiB",
                "export fewer videos at once",
            )


def _check_members(path: Path, members: Sequence[zipfile.ZipInfo]) -> None:
    for member in members:
        _check_member(path, member)
    unpacked = sum(member.file_size for member in members)
    # Of the file, not of the members: those of a bomb share their bytes.
    ratio = unpacked / max(1, path.stat().st_size)
    if len(members) > _MOST_MEMBERS or (unpacked > _BOMB_SIZE and ratio > _BOMB_RATIO):
        raise DataError(
            f"{path}: expected an export, found a zip of {len(members)} files that unpacks to "
            f"{unpacked / 1024**2:.0f} MiB ({ratio:.0f} times its size)",
            _TRUSTED,
        )


def _check_member(path: Path, member: zipfile.ZipInfo) -> None:
    if member.flag_bits & 1:
        raise DataError(
            f"{path}: {member.filename}: expected a plain zip, found an encrypted one", "unlock it"
        )
    ratio = member.file_size / max(1, member.compress_size)
    if member.file_size > 2 * LARGEST or (member.file_size > _BOMB_SIZE and ratio > _BOMB_RATIO):
        raise DataError(
            f"{path}: {member.filename}: expected an export, found a member that unpacks to "
            f"{member.file_size / 1024**2:.0f} MiB ({ratio:.0f} times its size)",
            _TRUSTED,
        )
