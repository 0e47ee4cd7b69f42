"""The shared nouns that answer questions themselves."""

from __future__ import annotations

from vsodtool.types import FrameStatus, MethodChoice


def test_which_methods_a_video_uses() -> None:
    alone = MethodChoice("warp", [], {}, "the only one")
    assert (alone.methods, alone.of(1), alone.of(7)) == ({"warp"}, "warp", "warp")
    divided = MethodChoice("warp", ["4"], {}, "better", objects={"1": "warp", "3": "fgplg"})
    assert divided.methods == {"warp", "fgplg"}
    assert [divided.of(number) for number in (1, 3, 4)] == ["warp", "fgplg", "warp"]
    # A method that no object of the video has is not used.
    assert MethodChoice("warp", [], {}, "", objects={"1": "fgplg"}).methods == {"fgplg"}


def test_the_words_of_frames_csv() -> None:
    assert [str(status) for status in FrameStatus] == ["given", "generated", "skipped"]
