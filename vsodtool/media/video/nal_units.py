"""The units that packets of H.264 and H.265 are made of, as far as their heads."""

from __future__ import annotations

from collections.abc import Iterator

from av.video.stream import VideoStream

# Where the record that describes a stream in mp4 and Matroska says how long lengths are.
_PLACE_OF_LENGTH = {"h264": 4, "hevc": 21}
_SLICES = {"h264": range(1, 6), "hevc": range(32)}


class NalUnits:
    """Reads packets of one stream; in those of other codecs there are no units."""

    def __init__(self, stream: VideoStream) -> None:
        self._codec = stream.codec_context.name
        head = stream.codec_context.extradata or b""
        place = _PLACE_OF_LENGTH.get(self._codec, 0)
        # The record begins so; with it, lengths stand before the units, else start codes.
        self._length = (head[place] & 3) + 1 if place and len(head) > place and head[0] == 1 else 0

    def kinds(self, data: bytes) -> Iterator[int]:
        """The types of the units in a packet (ITU-T H.264, table 7-1; H.265, table 7-1)."""
        return (self._kind(head) for head in self._heads(data))

    def is_unreferenced(self, data: bytes) -> bool:
        """Whether no other picture refers to that of the packet, as it says; False where it is in doubt."""
        heads = list(self._heads(data))
        slices = [head for head in heads if self._kind(head) in _SLICES[self._codec]] if heads else []
        if any(head & 0x80 for head in heads):  # forbidden: the heads themselves are damaged
            return False
        if self._codec == "h264":
            return bool(slices) and not any(head & 0x60 for head in slices)  # `nal_ref_idc`
        # Even types below 16: sub-layer non-reference pictures.
        return bool(slices) and all(self._kind(head) < 16 and not self._kind(head) % 2 for head in slices)

    def _kind(self, head: int) -> int:
        return head & 31 if self._codec == "h264" else head >> 1 & 63

    def _heads(self, data: bytes) -> Iterator[int]:
        """The first byte of each unit."""
        if self._codec not in _SLICES:
            return
        place = 0
        while True:
            if self._length:
                start = place + self._length
                place = start + int.from_bytes(data[place:start], "big")
            else:
                start = data.find(b"\0\0\1", place) + 3
                place = start
                if start < 3:
                    return
            if start >= len(data):
                return
            yield data[start]
