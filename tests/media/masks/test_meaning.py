"""What is taken for granted of masks of which nothing else was found out."""

from __future__ import annotations

from vsodtool.media.masks.meaning import Meaning


def test_unless_something_else_is_said_a_mask_holds_ids_as_grey() -> None:
    plain = Meaning()
    assert (plain.ids, plain.container, plain.threshold, plain.background) == ((1,), "grey8", 0, 0)
    assert plain.void is None
    assert not plain.by_alpha


def test_where_opacity_says_what_is_there() -> None:
    assert Meaning(families=frozenset({"alpha"}), threshold=128).by_alpha
    assert not Meaning(families=frozenset({"colour", "grey8"})).by_alpha
