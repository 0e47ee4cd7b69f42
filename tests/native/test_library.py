from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.native.compiled import compiled
from vsodtool.native import library as loading
from vsodtool.native.library import SearchSettings, library


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


def test_views_and_other_types_are_read_as_what_they_show() -> None:
    used, settings = compiled(), SearchSettings(0, 4, 3, 2)
    image = np.random.default_rng(0).random((64, 80)).astype(np.float32) * 255
    moved = np.roll(image, 2, axis=1)
    expected = used.flow(image, moved, None, settings)
    wide = np.zeros((64, 160), np.float32)
    wide[:, ::2] = image
    assert np.array_equal(used.flow(wide[:, ::2], moved.astype(np.float64), None, settings), expected)
    assert np.array_equal(used.flow(image, moved, np.zeros((2, 64, 80)), settings), expected)


def test_no_memory_is_an_error_and_not_a_crash() -> None:
    used = compiled()
    image = np.broadcast_to(np.zeros(1, np.float32), (8, 8))
    used._flow = lambda *_: -1
    with pytest.raises(MemoryError):
        used.flow(image, image, None, SearchSettings(0, 4, 3, 2))
    library.cache_clear()
