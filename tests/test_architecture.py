"""Rules of the house that import-linter cannot express."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted((ROOT / "vsodtool").rglob("*.py"))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_every_helper_has_a_named_home() -> None:
    nameless = {"utils", "util", "helpers", "misc", "common"}
    assert [name(path) for path in MODULES if path.stem in nameless or path.parent.name in nameless] == []


def test_modules_say_what_they_are() -> None:
    mute = [path for path in MODULES if path.stat().st_size and not ast.get_docstring(parse(path))]
    assert [name(path) for path in mute] == []


def test_nobody_below_cli_prints_or_exits() -> None:
    found = [
        f"{name(path)}:{node.lineno}"
        for path in MODULES
        if "cli" not in path.relative_to(ROOT).parts
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"print", "exit", "quit", "sys.exit", "os._exit"}
    ]
    assert found == []


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def test_the_test_folders_mirror_the_package() -> None:
    layers = {path.name for path in (ROOT / "vsodtool").iterdir() if (path / "__init__.py").exists()}
    extra = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()} - layers
    assert {folder for folder in extra if not folder.startswith("__")} <= {"benchmarks", "docs"}


def test_ci_runs_the_command_that_the_makefile_offers() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert "make test check" in script
    assert {"demo", "test", "check"} <= set(targets)
