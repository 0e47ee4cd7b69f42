"""Which frames a network sees together: clips of T frames along a video whose end is not known yet."""

from __future__ import annotations


class ClipSchedule:
    """Positions of frames, told one by one -> clips, each as soon as it is complete.

    Clips begin at 0, stride, 2 * stride, ... The last one is shifted back so that it ends with the video and
    has `length` frames too; a video with fewer frames is one shorter clip. Every frame is in a clip.
    """

    def __init__(self, length: int, stride: int) -> None:
        """Begin a video.

        Args:
            length: frames of a clip, at least 1.
            stride: from the start of a clip to that of the next, 1 ... length.

        Raises:
            ValueError: the two do not fit.
        """
        if not 1 <= stride <= length:
            raise ValueError(f"expected 1 <= stride <= length, found stride {stride} and length {length}")
        self._length, self._stride = length, stride
        self._seen = 0
        self._next = 0

    @property
    def covered(self) -> int:
        """Positions below this one are in a clip."""
        return self._next - self._stride + self._length if self._next else 0

    def add(self) -> range | None:
        """One more frame; the clip that it completes, if any."""
        self._seen += 1
        if self._seen < self._next + self._length:
            return None
        clip = range(self._next, self._seen)
        self._next += self._stride
        return clip

    def end(self) -> range | None:
        """There are no more frames; the last clip, if one is needed to cover them."""
        if self.covered >= self._seen:
            return None
        return range(self.shifted_start(self._seen), self._seen)

    def shifted_start(self, count: int) -> int:
        """Where the last clip of a video of `count` frames begins, or would."""
        return max(0, count - self._length)

    def first_needed(self, count: int | None = None) -> int:
        """The first position that a clip still to come may hold; frames below it are settled.

        Args:
            count: frames of the whole video; None = unknown, at least those seen.
        """
        if count is None:  # a clip may still end one frame later, or here if this frame is in none
            count = self._seen + (self.covered >= self._seen)
        return min(self._next, self.shifted_start(count))


def clip_ranges(count: int, length: int, stride: int) -> list[range]:
    """The clips of a video of `count` frames, see `ClipSchedule`."""
    schedule = ClipSchedule(length, stride)
    clips = [schedule.add() for _ in range(count)]
    return [clip for clip in (*clips, schedule.end()) if clip is not None]
