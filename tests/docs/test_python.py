"""docs/python.md does what it says."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

import vsodtool

PAGE = Path(vsodtool.__file__).parent.parent / "docs" / "python.md"


def test_the_page_runs_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    text = PAGE.read_text(encoding="utf-8").replace("```python\n", "\n").replace("\n```\n", "\n\n")
    examples = doctest.DocTestParser().get_doctest(text, {}, PAGE.name, str(PAGE), 0)
    assert len(examples.examples) > 20
    told: list[str] = []
    done = doctest.DocTestRunner().run(examples, out=told.append)
    assert done.failed == 0, "".join(told)
