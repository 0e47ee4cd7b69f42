"""Digests of the state of files, so that the next run notices a changed input, mask or weight file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from vsodtool.errors import DataError
from vsodtool.media.regular_file import open_regular


class Input(Protocol):
    """What a fingerprint needs to know about a video (media/video/inputs.py: VideoInput)."""

    @property
    def name(self) -> str:
        """Identity of the video."""
        ...

    @property
    def path(self) -> Path:
        """The video file, or the folder of frames."""
        ...

    @property
    def files(self) -> Sequence[Path]:
        """The frame files of a folder; empty for a video file."""
        ...


def input_fingerprint(video: Input) -> str:
    """SHA-256 over (name, size, modification time) of the files of a video; nothing is opened.

    Raises:
        DataError: a file has gone.
    """
    digest = hashlib.sha256()
    for path in video.files or (video.path,):
        try:
            # A link that leads nowhere is a file that cannot be read, which is told where it is read.
            status = path.lstat() if path.is_symlink() and not path.exists() else path.stat()
        except OSError as error:
            raise DataError(
                f"cannot read {path}: {error.strerror}", "check that the input is still there"
            ) from error
        digest.update(
            f"{path.name}\0{status.st_size}\0{status.st_mtime_ns}\n".encode("utf-8", "surrogateescape")
        )
    return digest.hexdigest()


def content_fingerprint(files: Iterable[Path]) -> str:
    """SHA-256 over the names and contents of `files`, whatever their order.

    Raises:
        DataError: a file cannot be read.
    """
    digest = hashlib.sha256()
    for path in sorted(files, key=lambda path: path.name):
        digest.update(f"{path.name}\0{file_sha256(path)}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def file_sha256(path: Path) -> str:
    """SHA-256 of the content of a file, in hexadecimal.

    Raises:
        DataError: the file cannot be read.
    """
    try:
        with open_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(
            f"cannot read {path}: {error.strerror}", "check the file and its permissions"
        ) from error
