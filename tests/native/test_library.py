from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.native.compiled import compiled
from vsodtool.native import library as loading
from vsodtool.native.library import library


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    library.cache_clear()
    yield monkeypatch
    library.cache_clear()


@pytest.mark.skipif(
    not any(map(shutil.which, ("cc", "gcc", "clang"))), reason="no C compiler on this machine"
)
def test_where_there_is_a_compiler_it_is_there_and_new() -> None:
    """Else `python -m vsodtool.native.build`, which every installation does."""
    assert library() is not None


def test_nothing_is_there_where_nothing_was_compiled(fresh: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fresh.setattr(loading, "LIBRARY", tmp_path / "compiled.so")
    assert library() is None


def test_what_is_no_library_is_not_used(fresh: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "compiled.so").write_bytes(b"cut off")
    fresh.setattr(loading, "LIBRARY", tmp_path / "compiled.so")
    assert library() is None


def test_a_library_of_other_sources_is_not_used(fresh: pytest.MonkeyPatch) -> None:
    compiled()
    library.cache_clear()
    fresh.setattr(loading, "fingerprint", lambda: "of newer sources")
    assert library() is None
