"""Fixtures shared by all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the project; tests that need it skip where it does not exist."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the folder of real data at {SHARED}")
    return SHARED
