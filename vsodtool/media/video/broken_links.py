"""Joints of H.265 streams: pictures that are left away there, by the standard, in a file that is whole.

Where a stream goes on at a picture marked as a broken link (BLA), or at a clean random access picture (CRA)
behind an end of sequence, its skipped leading pictures (RASL) refer to what came before it in another file.
They are never shown, nor are pictures that the decoder has not yet handed out when it comes to the joint.
(ITU-T H.265, 7.4.2.2 and 8.1.3 for the former, C.5.2.2 for the latter.)
"""

from __future__ import annotations

from collections import deque

from av.packet import Packet
from av.video.stream import VideoStream

from vsodtool.media.video.nal_units import NalUnits

_RASL = (8, 9)
_BLA = (16, 17, 18)
_IRAP = range(16, 24)
_CRA = 21
_ENDS = (36, 37)  # of a sequence, of the stream
_SLICES = range(32)


class BrokenLinks:
    """Is shown all packets of a stream in the order in which they are stored.

    Args:
        stream: an H.265 stream; of others there is nothing to say.
        most_reordered: how many pictures a decoder may hold back.
    """

    def __init__(self, stream: VideoStream, most_reordered: int) -> None:
        self._is_hevc = stream.codec_context.name == "hevc"
        self._units = NalUnits(stream)
        self._before: deque[int | None] = deque(maxlen=most_reordered)
        self._began = self._ended = self._at_link = False
        self.skipped: set[int] = set()
        """Presentation times of the leading pictures of broken links."""
        self.held_back: set[int] = set()
        """Presentation times of pictures that a decoder may still have held at a joint."""

    def see(self, packet: Packet[VideoStream]) -> None:
        """The next packet."""
        if not self._is_hevc:
            return
        sliced = False
        for unit in self._units.kinds(bytes(packet)):
            if unit in _ENDS:  # behind a picture, or before the next one
                self._ended = True
            elif unit in _SLICES and not sliced:
                sliced = True
                self._see_picture(unit, packet.pts)
        self._before.append(packet.pts)

    def _see_picture(self, kind: int, time: int | None) -> None:
        if kind in _IRAP:
            self._at_link = self._began and (kind in _BLA or (kind == _CRA and self._ended))
            if self._at_link:
                self.held_back.update(each for each in self._before if each is not None)
            self._began, self._ended = True, False
        elif kind in _RASL and self._at_link and time is not None:
            self.skipped.add(time)
