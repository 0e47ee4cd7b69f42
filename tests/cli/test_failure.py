from __future__ import annotations

import errno
import sys

import cv2
import pytest
import torch
import typer

from vsodtool.cli.failure import exit_code_of
from vsodtool.errors import (
    ConfigError,
    DataError,
    DeviceError,
    ShapeError,
    UsageError,
    VsodtoolError,
    WeightsError,
)


def fail(error: BaseException) -> int:
    def run() -> None:
        raise error

    return exit_code_of(run)


@pytest.mark.parametrize(
    ("kind", "code"), [(UsageError, 2), (ConfigError, 2), (DataError, 3), (WeightsError, 4), (DeviceError, 5)]
)
def test_expected_errors_are_two_lines(
    kind: type[VsodtoolError], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fail(kind("a.png: expected x, found y", "do z")) == code
    assert capsys.readouterr() == ("", "error: a.png: expected x, found y\nhint: do z\n")
    assert fail(kind("alone")) == code
    assert capsys.readouterr() == ("", "error: alone\n")


def test_a_name_with_a_line_break_stays_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert fail(DataError("a\nb\x1b[2J.png: unreadable")) == 3
    assert capsys.readouterr().err == "error: a\\nb\\x1b[2J.png: unreadable\n"


@pytest.mark.parametrize(
    "error", [ValueError("oh"), ShapeError("flow: expected"), OSError(errno.ENOENT, "gone")]
)
def test_everything_else_is_a_bug_with_its_traceback(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fail(error) == 1
    err = capsys.readouterr().err
    assert err.startswith("Traceback (most recent call last):")
    assert str(error) in err
    assert "this is a bug in vsodtool" in err.splitlines()[-1]


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried"),
        RuntimeError("std::bad_alloc"),
        RuntimeError("can't start new thread"),
        ImportError("libtorch_cpu.so: failed to map segment from shared object"),
        ImportError("libopenblas.so: cannot open shared object file: Cannot allocate memory"),
        cv2.error("OpenCV(5.0.0) alloc.cpp:66: error: (-4:Insufficient memory) Failed to allocate 8 bytes"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_out_of_memory(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    assert fail(error) == 5
    assert capsys.readouterr().err.startswith("error: out of memory\nhint: ")


def test_what_a_gpu_cannot_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert fail(RuntimeError("MPS: Unsupported Border padding mode")) == 5
    said = "error: the GPU cannot do this: MPS: Unsupported Border padding mode\nhint: use --device cpu\n"
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (errno.ENOSPC, "disk full"),
        (errno.EACCES, "permission denied"),
        (errno.EROFS, "permission denied"),
        (errno.EMFILE, "the system refuses"),
    ],
)
def test_refusals_of_the_system(number: int, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert fail(OSError(number, "reason", "/some/file")) == 5
    err = capsys.readouterr().err
    assert err.startswith(f"error: {text}")
    assert "/some/file" in err


@pytest.mark.parametrize("error", [KeyboardInterrupt(), typer.Abort()])
def test_an_interruption_is_one_line(error: BaseException, capsys: pytest.CaptureFixture[str]) -> None:
    assert fail(error) == 130
    assert capsys.readouterr() == ("", "interrupted; run the same command again to continue\n")


@pytest.mark.parametrize("error", [ImportError("initialization failed"), DataError("does not decode")])
def test_what_a_library_makes_of_an_interruption(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("vsodtool.cli.interrupt.was_asked", lambda: True)
    assert fail(error) == 130
    assert capsys.readouterr() == ("", "interrupted; run the same command again to continue\n")


def test_a_pipe_that_breaks_between_processes_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    def run() -> None:  # as Click does with every broken pipe, because it takes it for stdout's
        try:
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")
        except OSError:
            sys.exit(1)

    assert exit_code_of(run) == 1
    assert "this is a bug in vsodtool" in capsys.readouterr().err


def test_a_library_for_which_static_memory_is_lacking_is_a_bug(capsys: pytest.CaptureFixture[str]) -> None:
    assert fail(ImportError("libgomp.so: cannot allocate memory in static TLS block")) == 1
    assert "static TLS" in capsys.readouterr().err


def test_what_the_application_returns_is_the_code() -> None:
    assert exit_code_of(lambda: 0) == 0
    assert exit_code_of(lambda: None) == 0
    assert exit_code_of(lambda: 2) == 2
