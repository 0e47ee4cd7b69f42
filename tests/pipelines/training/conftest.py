"""Everything here computes in one thread."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _one_thread(one_thread: None) -> None:
    """As in tests/pipelines/conftest.py."""
