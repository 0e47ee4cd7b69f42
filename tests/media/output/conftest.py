"""A small run in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.media.output.small_run import MakeInput, Masks, Run


@pytest.fixture
def run(make_input: MakeInput, tmp_path: Path) -> Run:
    return Run(make_input, tmp_path)


@pytest.fixture
def masks(make_input: MakeInput, tmp_path: Path) -> Masks:
    return Masks(make_input, tmp_path)
