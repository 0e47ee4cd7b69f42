"""Frames that could not be read: what is said of them, and that nothing made of another one is a fault."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from vsodtool.errors import VsodtoolError
from vsodtool.media.video.frames import FrameSource, Loss
from vsodtool.pipelines.running.lost import check_unreadable, describe_losses, lost_frames, refuse_unmade
from vsodtool.types import Frame


class Source:
    """A video of five frames whose latest iteration lost some; others do not decode either, if asked."""

    def __init__(self, losses: list[tuple[str, bool]], broken: Collection[int] = ()) -> None:
        self.names = [f"f{index}" for index in range(5)]
        self.video = SimpleNamespace(name="clip")
        self.losses = [SimpleNamespace(frame_name=name, ends=ends) for name, ends in losses]
        self._broken = broken
        self.asked: list[int] = []

    def select(self, indices: Collection[int]) -> Iterator[Frame]:
        self.asked += sorted(indices)
        for index in sorted(indices):
            if index not in self._broken:
                yield Frame(index, self.names[index], np.zeros((1, 1, 3), np.uint8))


def test_a_loss_is_of_one_frame_or_of_all_from_there() -> None:
    source: Any = Source([("f1", False), ("f3", True)])
    assert lost_frames(source) == {"f1", "f3", "f4"}
    nowhere: Any = Source([("beyond the end", True)])
    assert lost_frames(nowhere) == frozenset()


def test_what_is_listed_as_lost_is_not_decoded_again() -> None:
    source: Any = Source([("f1", False)])
    assert not check_unreadable(source, {"f1"})
    assert source.asked == []


def test_what_is_not_listed_is_decoded_now() -> None:
    source: Any = Source([("f1", False)], broken={1, 4})
    assert check_unreadable(source, {"f1", "f4"})
    assert source.asked == [4]


def test_a_frame_that_decodes_and_has_nothing_is_a_fault() -> None:
    source: Any = Source([], broken={2})
    with pytest.raises(VsodtoolError, match="clip: frame f0 and 1 more: expected a result") as raised:
        check_unreadable(source, {"f0", "f2", "f3"})
    assert raised.value.hint == "run the same command again"
    with pytest.raises(VsodtoolError, match="clip: frame f0: expected a result"):
        refuse_unmade("clip", ["f0"])
    refuse_unmade("clip", [])


def lossy(*losses: Loss) -> FrameSource:
    return cast(FrameSource, SimpleNamespace(names=[f"{n:05d}" for n in range(40)], losses=list(losses)))


def row(first: int, last: int, reason: str) -> list[Loss]:
    return [Loss(f"{number:05d}", reason) for number in range(first, last + 1)]


def test_many_frames_in_a_row_are_one_line() -> None:
    found = lossy(
        *row(2, 3, "does not decode"),
        *row(8, 30, "changes size"),
        *row(31, 31, "does not decode"),
        Loss("00035", "the video ends here", ends=True),
    )
    assert list(describe_losses(found)) == [
        "frame 00002: does not decode",
        "frame 00003: does not decode",
        "frames 00008 to 00030: changes size",
        "frame 00031: does not decode",
        "frame 00035: the video ends here",
    ]


@pytest.mark.parametrize("losses", [[], row(1, 4, "does not decode"), row(1, 9, "does not decode")[::2]])
def test_others_have_a_line_each(losses: list[Loss]) -> None:
    assert list(describe_losses(lossy(*losses))) == [
        f"frame {loss.frame_name}: {loss.reason}" for loss in losses
    ]
