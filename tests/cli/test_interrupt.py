"""Ctrl-C before, within and after the work: exit code 130, one line."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from vsodtool.cli import interrupt

# Presses Ctrl-C when a module is asked for, or at Python's end, and starts the tool as its script does.
PRESS = """
import atexit, os, signal, sys

def press():
    os.kill(os.getpid(), signal.SIGINT)

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == moment:
            sys.meta_path.remove(self)
            press()

moment = sys.argv.pop(1)
if moment == "exit":
    atexit.register(press)
if moment == "dropped":
    class Tidied:
        __del__ = lambda self: press()

    from vsodtool.cli import interrupt
    interrupt.leave_at_once()
    with interrupt.Raised():
        Tidied()
sys.meta_path.insert(0, Finder())
from vsodtool.cli import main
main()
"""


@pytest.fixture
def minded() -> Iterator[None]:
    """Ctrl-C is minded as in a process of the command line."""
    before = signal.getsignal(signal.SIGINT)
    interrupt.leave_at_once()
    yield
    signal.signal(signal.SIGINT, before)


def run(moment: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PRESS, moment, *arguments], capture_output=True, encoding="utf-8", check=False
    )


@pytest.mark.parametrize("moment", ["vsodtool.cli.streams", "typer", "vsodtool.cli.app", "numpy", "cv2"])
def test_while_modules_are_loaded(moment: str, tmp_path: Path) -> None:
    done = run(moment, "evaluate", str(tmp_path), str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (130, "", interrupt.LINE)


def test_while_the_streams_are_half_loaded() -> None:
    program = PRESS.replace("if name == moment:", "if name == 'contextlib' or name == '_typeshed':")
    done = subprocess.run(
        [
            sys.executable,
            "-S",
            "-c",
            "import sys; sys.modules.pop('contextlib', None)\n" + program,
            "",
            "--version",
        ],
        capture_output=True,
        encoding="utf-8",
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", interrupt.LINE)


def test_after_the_result() -> None:
    done = run("exit", "--version")
    assert (done.returncode, done.stderr) == (130, interrupt.LINE)
    assert done.stdout.startswith("vsodtool ")


def test_where_it_is_ignored_it_stays_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    line = f"trap '' INT; exec {sys.executable} -c '{PRESS}' typer --version"
    done = subprocess.run(["bash", "-c", line], capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.usefixtures("minded")
def test_within_the_work_it_is_raised_and_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupt, "_asked", False)
    outside = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), interrupt.Raised():
        signal.raise_signal(signal.SIGINT)
    assert interrupt.was_asked()
    assert signal.getsignal(signal.SIGINT) is outside


def test_one_that_python_drops() -> None:
    done = run("dropped", "--version")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", interrupt.LINE)
