from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from vsodtool.native import build as building
from vsodtool.native.build import BuildError, build, compiler, fingerprint, main
from vsodtool.native.differences import largest_differences, mean_differences
from vsodtool.native.guided_filter import guided_filter
from vsodtool.native.inverse_search import SearchSettings, inverse_search
from vsodtool.native.library import Library
from vsodtool.native.matching import Costs, owner_costs
from vsodtool.native.sampling import sample

needs_compiler = pytest.mark.skipif(
    not any(map(shutil.which, ("cc", "gcc", "clang"))), reason="no C compiler on this machine"
)


@needs_compiler
def test_it_builds_a_library_of_these_sources_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = build(tmp_path / "compiled.so")
    assert [each.name for each in tmp_path.iterdir()] == ["compiled.so"]
    assert Library(path).sources == fingerprint()


@needs_compiler
def test_a_library_that_is_there_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "compiled.so").write_bytes(b"old")
    assert Library(build(tmp_path / "compiled.so")).sources == fingerprint()


def test_the_fingerprint_is_of_every_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint()
    copied = shutil.copytree(building.SOURCES, tmp_path / "source")
    monkeypatch.setattr(building, "SOURCES", copied)
    assert fingerprint() == before
    for path in copied.iterdir():
        text = path.read_text()
        path.write_text(text + "\n")
        assert fingerprint() != before, path
        path.write_text(text)


def test_the_compiler_is_that_of_cc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", f"'{sys.executable}' -c")
    assert compiler() == [sys.executable, "-c"]


def test_no_compiler_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BuildError, match="no C compiler: neither"):
        build(tmp_path / "compiled.so")
    assert not list(tmp_path.iterdir())


def test_a_compiler_that_refuses_is_quoted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "cc"
    script.write_text("#!/bin/sh\necho 'cannot compile that' >&2\nexit 3\n")
    script.chmod(0o755)
    monkeypatch.setenv("CC", str(script))
    monkeypatch.setattr(building.build, "__defaults__", (tmp_path / "compiled.so",))
    with pytest.raises(BuildError, match="cannot compile that"):
        build(tmp_path / "compiled.so")
    assert main() == 1
    assert "not compiled, labels will take longer: " in capsys.readouterr().err
    assert [each.name for each in tmp_path.iterdir()] == ["cc"]


@needs_compiler
def test_it_runs_without_vsodtool(tmp_path: Path) -> None:
    """As an installation runs it, before there is anything that it could import."""
    native = Path(building.__file__).parent
    for name in ("build.py", "source"):
        source = native / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    run = subprocess.run(
        [sys.executable, "-I", tmp_path / "build.py"], capture_output=True, text=True, check=False, cwd="/"
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr == f"compiled {tmp_path / building.LIBRARY.name}\n"


def _runs_here(level: str) -> bool:
    flags = Path("/proc/cpuinfo").read_text().split() if Path("/proc/cpuinfo").exists() else []
    return {"x86-64": "sse2", "x86-64-v3": "avx2", "x86-64-v4": "avx512vl"}[level] in flags


@needs_compiler
@pytest.mark.skipif(platform.machine() != "x86_64", reason="generations of x86")
def test_every_generation_of_processors_computes_the_same_bits(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    first, second = (random.random((90, 133)).astype(np.float32) * 255 for _ in range(2))
    start = random.normal(size=(2, 90, 133)).astype(np.float32) * 3
    image, vectors = torch.from_numpy(first / 255)[None, None], torch.from_numpy(start)[None]
    pictures = torch.cat((image, image.flip(-1), image.flip(-2)), dim=1)
    costs = Costs([(0, 0, 0), (2, -3, 31)], 2040, 4.5, 18360, 4320)
    found = []
    for level in filter(_runs_here, ("x86-64", "x86-64-v3", "x86-64-v4")):
        path = tmp_path / f"{level}.so"
        made = subprocess.run(
            [
                *(*compiler(), *building.FLAGS, f"-march={level}", '-DVSOD_SOURCES=""', "-shared", "-fPIC"),
                *(*map(str, building.SOURCES.glob("*.c")), "-o", str(path), "-lm"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, made.stderr
        library, everywhere = Library(path), torch.ones(90, 133, dtype=torch.bool)
        found.append(
            (
                torch.from_numpy(inverse_search(library, first, second, start, SearchSettings(0, 4, 3, 2))),
                *sample(library, [image, pictures], vectors, (0, 0)),
                owner_costs(library, (pictures, pictures.flip(-1), image), everywhere, (0, 0), costs),
                largest_differences(library, pictures, pictures.flip(-1), torch.tensor([0.2, 0.6, 0.2])),
                mean_differences(library, pictures, pictures.flip(-1)),
                guided_filter(library, image, pictures, (0.3, 0.6, 0.1), 1e-3),
            )
        )
    assert found
    for others in found[1:]:
        assert all(map(torch.equal, others, found[0]))
