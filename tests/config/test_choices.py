"""Choices that a table gives."""

from __future__ import annotations

from vsodtool.config.choices import TableNames


def test_names_are_those_of_the_table_as_it_is() -> None:
    table = {"warp": 1}
    names = TableNames(lambda: ("auto", *table))
    assert (list(names), len(names), names[-1], names[1:]) == (["auto", "warp"], 2, "warp", ("warp",))
    table["sam2"] = 2
    assert "sam2" in names
    assert ", ".join(names) == "auto, warp, sam2"
