"""The structure is counted as the script says, on a package made here."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

FILES = {
    "vsodtool/__init__.py": "",
    "vsodtool/a.py": "def f(one, /, two, *, three, **rest): ...\n",
    "vsodtool/b/__init__.py": '"""B."""\n',
    "vsodtool/b/c.py": "class C:\n    def g(self, one, two):\n        return one\n",
    "vsodtool/b/d.py": "x = 1\n",
    "tests/test_a.py": "",
    "tests/b/test_c.py": "",
    "tests/test_d.py": "",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_counts(script: Callable[[str], ModuleType], root: Path) -> None:
    structure = script("structure")
    found = structure.measure(root, arguments=2)
    assert {path.as_posix(): lines for path, lines in found.lines.items()} == {
        "__init__.py": 0,
        "a.py": 1,
        "b/__init__.py": 1,
        "b/c.py": 3,
        "b/d.py": 1,
    }
    assert found.files == {Path(): 2, Path("b"): 3}
    assert found.wide == ["a.py:1 f (3)"]
    assert structure.measure(root, arguments=1).wide == ["a.py:1 f (3)", "b/c.py:2 g (2)"]
    assert found.untested == [Path("b/d.py")]  # its test lies in another folder
    assert found.nowhere == []
    (root / "tests" / "test_d.py").unlink()
    assert structure.measure(root, arguments=2).nowhere == [Path("b/d.py")]
    text = "\n".join(structure.table(found, arguments=2, most=2))
    for row in (
        "| lines of vsodtool/ | 6 |",
        "| folders of more than 2 files | 1 |",
        "| functions of more than 2 arguments | 1, 0 of them in cli |",
        "| modules without a mirrored test file | 1 |",
        "| b/ | 3 | 5 |",
    ):
        assert row in text


@pytest.mark.parametrize(
    ("signature", "count"),
    [
        ("self, a, b", 2),
        ("cls, a", 1),
        ("self, /, a", 1),
        ("a, self", 2),
        ("*args, a, **more", 1),
        ("", 0),
        ("self", 0),
    ],
)
def test_arguments(script: Callable[[str], ModuleType], signature: str, count: int) -> None:
    tree = ast.parse(f"async def f({signature}): ...")
    assert [number for _, number in script("structure").argument_counts(tree)] == [count]


def test_no_package(script: Callable[[str], ModuleType], tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="holds no Python files"):
        script("structure").measure(tmp_path, 8)
