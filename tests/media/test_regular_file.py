"""Reading only what is a file: everything else is refused before a byte of it is asked for."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from vsodtool.errors import DataError, WeightsError
from vsodtool.media.fingerprint import file_sha256
from vsodtool.media.images import read_image_size, read_rgb
from vsodtool.media.regular_file import open_regular, read_regular
from vsodtool.media.training_run.folder import read_checkpoint
from vsodtool.media.weights.files import read_weights

pytestmark = pytest.mark.skipif(os.name != "posix", reason="named pipes and devices of POSIX")


def test_a_file_and_a_link_to_one_are_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    assert read_regular(tmp_path / "file") == read_regular(tmp_path / "link") == b"content"
    with open_regular(tmp_path / "file") as file:
        assert file.read(3) == b"con"


def test_pipes_devices_and_sockets_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "socket"))
    for name, found in (("pipe", "a named pipe"), ("link", "a named pipe"), ("socket", "a socket")):
        with pytest.raises(OSError, match=f"expected a file, found {found}"):
            read_regular(tmp_path / name)
    server.close()
    with pytest.raises(OSError, match="found a device"):
        open_regular(Path("/dev/zero"))
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "nothing")
    with pytest.raises(IsADirectoryError):
        read_regular(tmp_path)
    with pytest.raises(OSError, match="not the name of a file"):
        read_regular(Path("a\0b"))


def test_every_reader_says_so_in_its_own_words(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for read in (read_rgb, read_image_size, file_sha256):
        with pytest.raises(DataError, match=r"cannot read .*pipe: expected a file, found a named pipe"):
            read(pipe)
    for load in (read_weights, read_checkpoint):
        with pytest.raises(WeightsError, match="expected a file, found a named pipe"):
            load(pipe)
        with pytest.raises(WeightsError, match="expected a file, found a device"):
            load(Path("/dev/urandom"))
