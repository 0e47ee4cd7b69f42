"""How is the package laid out? Lines, files a folder, long signatures, modules without a test file.

    python benchmarks/structure.py [ROOT] [--arguments 8] [--files 20] [--list]

ROOT is a checkout, by default this one; nothing of it is imported. A function's arguments are those with a
name of their own, keyword-only ones too, without self and cls. A module's test file is the one that mirrors
it: tests/a/test_b.py for vsodtool/a/b.py; `__init__.py` and `__main__.py` need none. --list names the
functions and modules that are counted.
"""

from __future__ import annotations

import argparse
import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from machine import ROOT

PACKAGE = "vsodtool"


@dataclass(frozen=True)
class Structure:
    """What is counted.

    Attributes:
        lines: of every module, by its path below the package.
        files: Python files directly in each folder.
        wide: `module:line function (arguments)` of functions with too many of them, the most first.
        untested: modules without a test file of the mirrored name.
        nowhere: those of them for which there is no test file of that name in any folder either.
    """

    lines: dict[Path, int]
    files: dict[Path, int]
    wide: list[str]
    untested: list[Path]
    nowhere: list[Path]


def measure(root: Path, arguments: int) -> Structure:
    """Read the package and the names of the tests below `root`.

    Raises:
        SystemExit: there is no package.
    """
    package, tests = root / PACKAGE, root / "tests"
    modules = sorted(path.relative_to(package) for path in package.rglob("*.py"))
    if not modules:
        raise SystemExit(f"{package} holds no Python files: expected a checkout of {PACKAGE}")
    lines, wide = {}, []
    for module in modules:
        text = (package / module).read_text(encoding="utf-8")
        lines[module] = len(text.splitlines())
        wide += [
            (count, f"{module}:{function.lineno} {function.name} ({count})")
            for function, count in argument_counts(ast.parse(text))
            if count > arguments
        ]
    names = {path.name for path in tests.rglob("test_*.py")}
    untested = [
        module
        for module in modules
        if not module.stem.startswith("__") and not (tests / module.parent / _test_of(module)).is_file()
    ]
    return Structure(
        lines=lines,
        files=Counter(module.parent for module in modules),
        wide=[text for _, text in sorted(wide, key=lambda item: -item[0])],
        untested=untested,
        nowhere=[module for module in untested if _test_of(module) not in names],
    )


def argument_counts(tree: ast.AST) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, int]]:
    """Every function, nested ones and methods too, and how many arguments it has."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            own = node.args
            names = [argument.arg for argument in (*own.posonlyargs, *own.args, *own.kwonlyargs)]
            yield node, len(names) - (names[:1] in (["self"], ["cls"]))


def _test_of(module: Path) -> str:
    return f"test_{module.name}"


def table(found: Structure, arguments: int, most: int) -> list[str]:
    """The figures as Markdown."""
    full = [folder for folder, count in found.files.items() if count > most]
    largest = max(found.files, key=lambda folder: found.files[folder])
    commands = sum(text.startswith("cli/") for text in found.wide)
    figures = {
        f"lines of {PACKAGE}/": f"{sum(found.lines.values())}",
        "modules": f"{len(found.lines)}",
        "folders": f"{len(found.files)}",
        f"folders of more than {most} files": f"{len(full)}",
        "files in the fullest folder": f"{found.files[largest]} ({_place(largest)})",
        "modules under 40 lines": f"{sum(count < 40 for count in found.lines.values())}",
        "lines of the longest module": f"{max(found.lines.values())}",
        f"functions of more than {arguments} arguments": f"{len(found.wide)}, {commands} of them in cli",
        "modules without a mirrored test file": f"{len(found.untested)}",
        "... and no test file of that name elsewhere": f"{len(found.nowhere)}",
    }
    rows = ["| | |", "|---|---:|", *(f"| {name} | {figure} |" for name, figure in figures.items())]
    rows += ["", "| folder | files | lines |", "|---|---:|---:|"]
    for folder, count in sorted(found.files.items()):
        lines = sum(number for module, number in found.lines.items() if module.parent == folder)
        rows.append(f"| {_place(folder)} | {count} | {lines} |")
    return rows


def _place(folder: Path) -> str:
    return f"{PACKAGE}/" if folder == Path() else f"{folder.as_posix()}/"


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("root", type=Path, nargs="?", default=ROOT)
    parser.add_argument("--arguments", type=int, default=8, help="more than these are too many")
    parser.add_argument("--files", type=int, default=20, help="more than these are too many in a folder")
    parser.add_argument("--list", action="store_true", help="also name the functions and modules")
    options = parser.parse_args()
    found = measure(options.root, options.arguments)
    print("\n".join(table(found, options.arguments, options.files)))
    if options.list:
        print("\nFunctions of too many arguments:\n")
        print("\n".join(f"- {text}" for text in found.wide))
        print("\nModules without a mirrored test file:\n")
        print("\n".join(f"- {module.as_posix()}" for module in found.untested))


if __name__ == "__main__":
    main()
