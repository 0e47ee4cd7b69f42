"""The built package is what users get: build it, install it beside this environment's libraries, run it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ["vsodtool", "configs", "weights", "pyproject.toml", "README.md", "LICENSE"]


def run(*command: object, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy of the sources, so that nothing is left in the checkout."""
    folder = tmp_path_factory.mktemp("build")
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "compiled.*"))
        else:
            shutil.copy(source, folder / name)
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", cwd=folder)
    (built,) = (folder / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel; the libraries come from this one, this checkout does not."""
    folder = tmp_path_factory.mktemp("installed")
    venv = folder / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", venv, cwd=folder)
    scripts = venv / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / "python"
    # A wheel of pure Python installs by this environment's pip, told where to.
    run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--no-deps",
        "--no-index",
        wheel,
        cwd=folder,
    )
    query = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(run(python, "-c", query, cwd=folder).stdout.strip())
    # Appended after the new environment's own packages. What makes this checkout importable is a .pth file in
    # the old folder, and those are not read there.
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return scripts


def test_the_wheel_carries_code_configs_weights_and_licence(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder, target in (("configs", "configs"), ("weights", "weights")):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and not path.name.startswith("."):
                assert f"vsodtool/_shipped/{target}/{path.relative_to(ROOT / folder).as_posix()}" in names
    assert "vsodtool/_shipped/configs/pseudolabel.yaml" in names
    assert any(name.endswith("LICENSE") for name in names)
    code = {name for name in names if name.endswith(".py")}
    assert code == {path.relative_to(ROOT).as_posix() for path in (ROOT / "vsodtool").rglob("*.py")}
    page = Path("vsodtool/pipelines/reviewing/page")
    assert {(page / path.name).as_posix() for path in (ROOT / page).iterdir()} <= names
    assert not [name for name in names if name.startswith(("tests", "benchmarks", "docs"))]


@pytest.mark.skipif(
    not any(map(shutil.which, ("cc", "gcc", "clang"))), reason="no C compiler on this machine"
)
def test_the_wheel_carries_what_was_compiled_and_says_for_which_machines(
    wheel: Path, installed: Path
) -> None:
    assert not wheel.name.endswith("-any.whl")
    assert "-py3-none-" in wheel.name
    names = zipfile.ZipFile(wheel).namelist()
    assert [name for name in names if "compiled" in name] == ["vsodtool/native/compiled.so"]
    assert "vsodtool/native/source/flow.c" in names
    query = "from vsodtool.native.library import library; print(library() is not None)"
    assert run(installed / "python", "-c", query, cwd=wheel.parent).stdout == "True\n"


def test_the_installed_package_is_not_the_checkout_and_finds_its_files(
    installed: Path, tmp_path: Path
) -> None:
    query = (
        "import vsodtool\n"
        "from vsodtool.config import FlowConfig, load_config, shipped_path\n"
        "path = shipped_path('configs/flow.yaml')\n"
        "load_config(FlowConfig, path, {'inputs': ('a',), 'output': 'o'})\n"
        "print(vsodtool.__file__); print(path); print(shipped_path('weights'))\n"
    )
    lines = run(installed / "python", "-c", query, cwd=tmp_path).stdout.splitlines()
    environment = installed.parent.resolve()
    assert len(lines) == 3
    for line in lines:
        assert Path(line).resolve().is_relative_to(environment)
    assert "_shipped" in lines[1]


def test_the_installed_command_makes_labels(installed: Path, tmp_path: Path) -> None:
    frames, masks = tmp_path / "clip", tmp_path / "masks"
    frames.mkdir()
    masks.mkdir()
    background = np.random.default_rng(0).integers(0, 90, (64, 96, 3), dtype=np.uint8)
    for index in range(5):
        picture, mask = background.copy(), np.zeros((64, 96), np.uint8)
        box = slice(20, 44), slice(10 + 4 * index, 34 + 4 * index)
        picture[box] += 140
        mask[box] = 255
        cv2.imwrite(str(frames / f"{index}.png"), picture)
        if index in {0, 4}:
            cv2.imwrite(str(masks / f"{index}.png"), mask)
    command = installed / "vsodtool"
    assert run(command, "--version", cwd=tmp_path).stdout.startswith("vsodtool ")
    options = ["-o", "out", "--quality", "fast", "--json"]
    done = run(command, "pseudolabel", frames, "--masks", masks, *options, cwd=tmp_path)
    (video,) = json.loads(done.stdout)["videos"]
    assert (video["name"], video["given"], video["generated"]) == ("clip", 2, 3)
    middle = cv2.imread(str(tmp_path / "out/masks/clip/2.png"), cv2.IMREAD_UNCHANGED) > 127
    truth = np.zeros((64, 96), bool)
    truth[20:44, 18:42] = True
    assert (middle & truth).sum() / (middle | truth).sum() > 0.9
