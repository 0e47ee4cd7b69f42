"""The compiled library for tests that need it."""

from __future__ import annotations

import pytest

from vsodtool.native.library import Library, library


def compiled() -> Library:
    """The library; the test is skipped where this machine has no compiler (see test_library.py)."""
    found = library()
    if found is None:
        pytest.skip("vsodtool's loops are not compiled here: no C compiler")
    return found
