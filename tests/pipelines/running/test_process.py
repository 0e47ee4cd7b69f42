"""Settings of the process: taken where there is glibc, given back, and nothing happens elsewhere."""

from __future__ import annotations

import ctypes
import os
import platform
import sys

import pytest
import torch

from vsodtool.pipelines.running.process import keep_few_kernels, keep_freed_memory, torch_threads


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")
def test_glibc_takes_the_settings() -> None:
    assert keep_freed_memory()


def test_another_system_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not keep_freed_memory()


def test_another_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", missing)
    assert not keep_freed_memory()


@pytest.mark.parametrize(("before", "after"), [(None, "128"), ("7", "7")])
def test_few_kernels_are_kept_unless_the_environment_says_how_many(
    monkeypatch: pytest.MonkeyPatch, before: str | None, after: str
) -> None:
    name = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"
    monkeypatch.setenv(name, before or "")  # so that it is as it was when the test is over
    if before is None:
        monkeypatch.delenv(name)
    keep_few_kernels()
    assert os.environ[name] == after


def test_torch_gets_its_threads_back_also_after_a_failure() -> None:
    before = torch.get_num_threads()

    def fail() -> None:
        with torch_threads(before + 1):
            assert torch.get_num_threads() == before + 1
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()
    assert torch.get_num_threads() == before
