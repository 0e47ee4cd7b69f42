"""Which frames of a video could not be read; that nothing was made of another one is a fault."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby

from vsodtool.errors import VsodtoolError
from vsodtool.media.video.frames import FrameSource

_ROW = 5  # frames


def lost_frames(source: FrameSource) -> frozenset[str]:
    """Names of the frames that the latest iteration over a video could not read, as its losses say."""
    index_of = {name: index for index, name in enumerate(source.names)}
    lost = set[str]()
    for loss in source.losses:
        first = index_of.get(loss.frame_name, len(source.names))
        lost.update(source.names[first:] if loss.ends else source.names[first : first + 1])
    return frozenset(lost)


def describe_losses(source: FrameSource) -> Iterator[str]:
    """A line for each thing that the latest iteration over a video could not read.

    Five frames or more in a row that are lost for one reason are one thing: where frames change size in the
    middle of a recording, the others may be thousands.
    """
    index_of = {name: index for index, name in enumerate(source.names)} if source.losses else {}
    keyed = [
        ((index_of.get(loss.frame_name, len(source.names)) - number, loss.reason, loss.ends), loss.frame_name)
        for number, loss in enumerate(source.losses)  # the same difference: in a row
    ]
    for (_, reason, _), group in groupby(keyed, key=lambda pair: pair[0]):
        frames = [frame for _, frame in group]
        if len(frames) >= _ROW:
            yield f"frames {frames[0]} to {frames[-1]}: {reason}"
        else:
            yield from (f"frame {frame}: {reason}" for frame in frames)


def check_unreadable(source: FrameSource, missing: Collection[str]) -> bool:
    """Require that frames for which there is nothing could not be read.

    Those that the latest iteration does not list as lost, as it may have read a part only, are decoded now.

    Args:
        source: the video.
        missing: names of these frames.

    Returns:
        Whether some were decoded now: `losses` are of that then.

    Raises:
        VsodtoolError: one decodes.
    """
    lost = lost_frames(source)
    unexplained = {index for index, name in enumerate(source.names) if name in missing and name not in lost}
    if unexplained:
        refuse_unmade(source.video.name, [frame.name for frame in source.select(unexplained)])
    return bool(unexplained)


def refuse_unmade(video: str, frames: Sequence[str]) -> None:
    """Tell of frames that could be read and for which nothing was made.

    Raises:
        VsodtoolError: there are some.
    """
    if frames:
        more = f" and {len(frames) - 1} more" if len(frames) > 1 else ""
        raise VsodtoolError(
            f"{video}: frame {frames[0]}{more}: expected a result, as it can be read, found none; what was "
            "finished before stays as it is",
            "run the same command again",
        )
