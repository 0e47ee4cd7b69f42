"""Reading only what is a file: everything else is refused before a byte of it is asked for."""

from __future__ import annotations

import ast
import os
import socket
from pathlib import Path

import pytest

import vsodtool
from vsodtool.errors import DataError, WeightsError
from vsodtool.media.fingerprint import file_sha256
from vsodtool.media.flow.files import read_flow
from vsodtool.media.images import read_image_size, read_rgb
from vsodtool.media.output.tables.frames_csv import read_frames_csv
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
    os.mkfifo(tmp_path / "pipe.flo")
    for read, path in ((read_flow, tmp_path / "pipe.flo"), (read_frames_csv, pipe)):
        with pytest.raises(DataError, match="expected a file, found a named pipe"):
            read(path)
    for load in (read_weights, read_checkpoint):
        with pytest.raises(WeightsError, match="expected a file, found a named pipe"):
            load(pipe)
        with pytest.raises(WeightsError, match="expected a file, found a device"):
            load(Path("/dev/urandom"))


# Who opens files by other means, and why no pipe can stand there.
OPENERS = {
    "config/datasets.py": "comes with the tool",
    "config/load.py": "a layer below, with check_regular",
    "media/atomic.py": "a folder, to sync it",
    "media/annotations/source.py": "check_regular, and members of a zip",
    "media/output/own_files.py": "opens without waiting, then looks what it has opened",
    "media/output/stamps.py": "was written by the tool, or is_file",
    "media/regular_file.py": "itself",
    "media/spill.py": "a temporary folder of the process",
    "media/training_run/log.py": "is_file",
    "native/build.py": "comes with the tool",
    "pipelines/review.py": "opens a browser, or a file of its own",
    "pipelines/reviewing/app.py": "comes with the tool",
    "pipelines/reviewing/passed_on.py": "comes with the tool",
    "pipelines/suggesting/pictures.py": "is_file",
    "pipelines/demo.py": "is_file",
    "pipelines/running/ray_crew.py": "is_file, or written by the tool",
    "pipelines/running/staging/mirror.py": "copies in a folder of the tool's own",
    "pipelines/networks/verify.py": "comes with the tool",
    "pipelines/training/process_files.py": "made by the tool, and only locked",
}


def test_nothing_else_opens_a_file_for_reading() -> None:
    package = Path(vsodtool.__file__).parent
    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if "cli" not in path.parts
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and _reads(call)
    }
    assert found == set(OPENERS)


def _reads(call: ast.Call) -> bool:
    """`path.read_bytes()`, `path.read_text()`, and `open` but for writing."""
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if name in {"read_bytes", "read_text", "fromfile", "memmap", "loadtxt"}:
        return True
    modes = {value.value for value in call.args if isinstance(value, ast.Constant)}
    library = getattr(getattr(call.func, "value", None), "id", "") in {
        "av",
        "Image",
    }  # bytes, or after check_regular
    return name == "open" and not library and not modes & {"w", "wb", "xb", "a"}
