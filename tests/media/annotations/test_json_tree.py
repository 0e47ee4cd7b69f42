"""Every access to JSON of strangers says file and place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vsodtool.errors import DataError
from vsodtool.media.annotations.json_tree import Tree, files_with_keys, load_json, top_level_keys
from vsodtool.media.annotations.source import Source

TREE = Tree({"a": [{"b": 1.5, "c": None, "d": "x", "e": True, "f": 3.0, "g": 7}], "big": 10**400}, "file")


def test_what_is_there() -> None:
    entry = next(iter(TREE["a"]))
    assert (entry["b"].number(), entry["d"].text(), entry["g"].text()) == (1.5, "x", "7")
    assert entry["f"].text() == "3"  # an id as pandas writes it
    assert entry["f"].whole() == 3
    assert "c" not in entry
    assert entry.get("c") is None
    assert [key for key, _ in entry.items()] == ["b", "c", "d", "e", "f", "g"]
    assert Tree([1, 2.5], "file").numbers() == [1.0, 2.5]
    assert Tree([1, 2.5], "file").pair() == (1.0, 2.5)
    assert (TREE.where, entry["b"].where) == ("file: the file", "file: a[0].b")


@pytest.mark.parametrize(
    ("access", "words"),
    [
        (lambda: TREE["x"], "file: the file: expected the entry 'x', found none"),
        (lambda: next(iter(TREE["a"]))["x"], r"file: a\[0\]: expected the entry 'x'"),
        (lambda: TREE["a"]["b"], r"file: a: expected an object \{\.\.\.\}, found \[\{"),
        (lambda: list(next(iter(TREE["a"]))["d"]), r"a\[0\]\.d: expected a list \[\.\.\.\], found \"x\""),
        (lambda: list(TREE["a"].items()), "a: expected an object"),
        (next(iter(TREE["a"]))["b"].text, "expected a text, found 1.5"),
        (next(iter(TREE["a"]))["e"].number, "expected a finite number, found true"),
        (next(iter(TREE["a"]))["b"].whole, "expected a whole number, found 1.5"),
        (lambda: next(iter(TREE["a"]))["g"].whole(0, 5), "expected a whole number from 0 to 5, found 7"),
        (TREE["big"].number, "expected a finite number"),
        (TREE["a"].numbers, "expected a list of finite numbers"),
        (Tree([1, 2, 3], "file").pair, r"expected \[x, y\], found \[1, 2, 3\]"),
        (lambda: Tree([1, 10**400], "file").numbers(), "expected a list of finite numbers"),
        (lambda: Tree([1, float("nan")], "file").numbers(), "expected a list of finite numbers"),
    ],
)
def test_what_is_not(access: Callable[[], Any], words: str) -> None:
    with pytest.raises(DataError, match=words) as caught:
        access()
    assert caught.value.hint


def test_long_values_are_shown_by_their_beginning() -> None:
    error = Tree("y" * 500, "file", "here").refused("something short")
    assert error.message.endswith("...")
    assert len(error.message) < 120


def test_a_file_is_parsed_once_in_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text(f'["{name}"]', "utf-8")
    source, read = Source(tmp_path), []
    original = Source.read
    monkeypatch.setattr(Source, "read", lambda self, name: (read.append(name), original(self, name))[1])
    for name in ("a.json", "a.json", "b.json", "a.json"):
        assert load_json(source, name).value == [name]
    assert read == ["a.json", "b.json", "a.json"]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ('{"a": 1, "b": 2}', {"a", "b"}),
        ('[{"a": 1}, {"b": 2}]', {"[]", "a"}),
        ('{"x.jpg": {"regions": [], "filename": "x.jpg"}}', {"x.jpg", "{regions}"}),
        ("[]", None),
        ("7", None),
    ],
)
def test_keys_that_formats_are_told_by(tmp_path: Path, text: str, keys: set[str] | None) -> None:
    (tmp_path / "a.json").write_text(text, "utf-8")
    assert top_level_keys(Source(tmp_path), "a.json") == keys


def test_files_are_found_by_their_keys(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": 1}', "utf-8")
    (tmp_path / "ab.json").write_text('{"a": 1, "b": 2}', "utf-8")
    source = Source(tmp_path)
    assert files_with_keys(source, "a") == ("a.json", "ab.json")
    assert files_with_keys(source, "a", without="b") == ("a.json",)
    assert files_with_keys(source, "a", "c") == ()
