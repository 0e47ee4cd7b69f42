"""Every script can be started: what it imports of vsodtool is there."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.mark.parametrize("script", sorted(path.name for path in BENCHMARKS.glob("*.py")))
def test_imports(script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    try:
        assert runpy.run_path(str(BENCHMARKS / script), run_name="imported")["__doc__"]
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.split(".")[0] == "vsodtool":
            raise
        pytest.skip(f"{error.name} is not installed")
