"""Which labelled frames make up a clip: arithmetic on positions only."""

from __future__ import annotations


def count_clips(frames: int, length: int) -> int:
    """Number of clips by which an epoch sees each frame about once: frames / length, rounded up."""
    return -(-frames // length)


def widest_gap(frames: int, length: int, wanted: int) -> int:
    """How far apart the frames of a clip of a video can be, `wanted` positions at the most, at least 1."""
    return max(1, min(wanted, (frames - 1) // max(length - 1, 1)))


def draw_window(frames: int, length: int, clip: int, chance: float, gap: int = 1) -> list[int]:
    """Positions of the frames of a training clip, evenly spaced and in order.

    The possible starts are divided evenly among the clips of the epoch, so that no part of a video is left
    out by chance. A video shorter than a clip is run through to and fro.

    Args:
        frames: number of labelled frames, at least 1.
        length: of the clip.
        clip: which one, from 0 to `count_clips` - 1.
        chance: in [0, 1), where within its share the clip starts.
        gap: from frame to frame, at most `widest_gap`; 1: consecutive.
    """
    span = (length - 1) * gap + 1
    starts = frames - span + 1
    if starts < 1:
        return _to_and_fro(frames, length)
    clips = count_clips(frames, length)
    start = min(int((clip + chance) * starts / clips), starts - 1)
    return list(range(start, start + span, gap))


def fixed_window(frames: int, length: int, clip: int) -> list[int]:
    """Positions of the frames of a validation clip: all clips together hold every frame.

    The last clip ends with the last frame and shares some with the one before. A video shorter than a clip
    is run through to and fro.
    """
    if frames < length:
        return _to_and_fro(frames, length)
    start = min(clip * length, frames - length)
    return list(range(start, start + length))


def _to_and_fro(frames: int, length: int) -> list[int]:
    if frames == 1:
        return [0] * length
    cycle = [*range(frames), *range(frames - 2, 0, -1)]
    return [cycle[place % len(cycle)] for place in range(length)]
