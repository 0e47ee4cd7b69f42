"""What `make` would do, by its dry run: nothing is installed."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def planned(folder: Path, *arguments: str) -> str:
    """The commands of `make` in a checkout without .venv."""
    shutil.copy(ROOT / "Makefile", folder)
    (folder / "pyproject.toml").touch()
    command = ["make", "--dry-run", f"PYTHON={sys.executable}", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def test_the_demo_installs_nothing_for_developers(tmp_path: Path) -> None:
    plan = planned(tmp_path, "demo", "UV=")
    assert "pip install" in plan
    assert ".[dev]" not in plan
    assert ".[dev]" in planned(tmp_path, "test", "UV=")


def test_uv_is_used_where_it_is_at_hand(tmp_path: Path) -> None:
    assert "/opt/uv pip install --python .venv/bin/python" in planned(tmp_path, "demo", "UV=/opt/uv")
    assert ".venv/bin/python -m pip install" in planned(tmp_path, "demo", "UV=")


def test_a_torch_without_cuda_needs_uv(tmp_path: Path) -> None:
    assert "--torch-backend=cpu" in planned(tmp_path, "demo", "UV=uv", "TORCH=cpu")
    assert "--torch-backend" not in planned(tmp_path, "demo", "UV=uv")
    shutil.copy(ROOT / "Makefile", tmp_path)
    command = ["make", f"PYTHON={sys.executable}", "demo", "UV=", "TORCH=cpu"]
    refused = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert refused.returncode != 0
    assert "TORCH=cpu needs uv" in refused.stderr
    assert not (tmp_path / ".venv").exists()


def test_the_size_is_said_before_anything_is_installed(tmp_path: Path) -> None:
    plan = planned(tmp_path, "demo", "UV=")
    assert plan.index("6 GB on disk") < plan.index("pip install")
