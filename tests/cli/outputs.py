"""What a command line left behind: files of an output folder, an error on stderr."""

from __future__ import annotations

import csv
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import cv2


def tree(out: Path) -> dict[str, bytes]:
    """All files but the manifest, by their paths."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }


def visible(out: Path) -> dict[str, bytes]:
    """What a user sees: the pictures under their final names."""
    return {name: data for name, data in tree(out).items() if Path(name).match("[!.]*.png")}


def pictures(out: Path, kind: str, video: str = "clip") -> dict[str, Any]:
    """The pictures of a video, as they are stored, by their stems."""
    folder = out / kind / video
    return {path.stem: cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in sorted(folder.iterdir())}


def statuses(out: Path) -> list[str]:
    """Of the frames, as frames.csv has them."""
    with (out / "frames.csv").open(newline="") as file:
        return [row["status"] for row in csv.DictReader(file)]


def skipped_frames(out: Path) -> list[int]:
    """The places of the frames that were skipped."""
    return [index for index, status in enumerate(statuses(out)) if status == "skipped"]


def refused(result: tuple[int, str, str], code: int, *said: str) -> None:
    """Nothing on stdout, one error and its hint on stderr, in which all this is said."""
    found, out, err = result
    assert (found, out) == (code, ""), err
    lines = err.splitlines()
    start = [index for index, line in enumerate(lines) if line.startswith("error: ")]
    assert len(start) == 1
    assert len(lines) - start[0] <= 2  # the error, and what to do
    for part in said:
        assert part in " ".join(lines[start[0] :])
    assert "Traceback" not in err


def end_when(
    arguments: list[str], folder: Path, written: str, count: int, how: signal.Signals
) -> tuple[int, str]:
    """Start a command in a folder, and end it once there are so many PNG files: exit code and stderr.

    Args:
        arguments: the whole command.
        folder: where it is started.
        written: the folder of the files, from there.
        count: how many files.
        how: the signal that ends it.
    """
    running = subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", cwd=folder
    )
    while running.poll() is None and len(list((folder / written).glob("*.png"))) < count:
        time.sleep(0.002)
    running.send_signal(how)
    out, err = running.communicate()
    assert out == ""
    assert "Traceback" not in err
    return running.returncode, err


def comes_to_the_same(
    arguments: list[str], folder: Path, written: str, ends: tuple[int, int], *, files: int, whole: list[str]
) -> None:
    """A run that is interrupted, then killed, and then let alone leaves what an undisturbed one does.

    Args:
        arguments: the whole command but its output folder.
        folder: where it is started.
        written: the folder of the files that are counted, from there.
        ends: how many of them are there when it is interrupted and when it is killed.
        files: pictures of a whole run.
        whole: more arguments of the undisturbed run.
    """
    subprocess.run([*arguments, "-o", "whole", *whole], cwd=folder, check=True, capture_output=True)
    expected = tree(folder / "whole")
    arguments = [*arguments, "-o", "out"]
    code, err = end_when(arguments, folder, written, ends[0], signal.SIGINT)
    assert code == 130
    assert err.splitlines()[-1] == "interrupted; run the same command again to continue"
    finished = visible(folder / "out")
    assert ends[0] <= len(finished) < files
    assert all(expected[name] == data for name, data in finished.items())
    code, err = end_when(arguments, folder, written, ends[1], signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert finished.items() <= visible(folder / "out").items() <= expected.items()
    done = subprocess.run(arguments, cwd=folder, check=True, capture_output=True)
    assert b"continuing an earlier run" in done.stderr
    assert tree(folder / "out") == expected
