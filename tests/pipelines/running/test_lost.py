"""What is said of frames that could not be read."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from vsodtool.media.video.frames import FrameSource, Loss
from vsodtool.pipelines.running.lost import describe_losses


def source(*losses: Loss) -> FrameSource:
    return cast(FrameSource, SimpleNamespace(names=[f"{n:05d}" for n in range(40)], losses=list(losses)))


def row(first: int, last: int, reason: str) -> list[Loss]:
    return [Loss(f"{number:05d}", reason) for number in range(first, last + 1)]


def test_many_frames_in_a_row_are_one_line() -> None:
    found = source(
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
    assert list(describe_losses(source(*losses))) == [
        f"frame {loss.frame_name}: {loss.reason}" for loss in losses
    ]
