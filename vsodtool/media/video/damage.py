"""Which decoded frames show damage: those that say so themselves, and those that refer to them.

A decoder tells of the frames whose own data are damaged. What is predicted from them, and from that again,
it hands out as good. So every frame that was decoded after a damaged one and is shown before the next key
frame counts as damaged, unless nothing refers to the damaged one; where a frame refers to is not looked at.

- Frames come out in the order in which they are shown. One that was stored behind others which are shown
  later waits for these, as what they say decides about it, too.
- Pictures shown before a key frame and stored behind it (open groups) may refer to what came before it.
- A stream refreshed bit by bit has no key frames after the first. What H.264 marks there (recovery points
  that are not I pictures) is where a refresh begins; where the next one begins all is refreshed. I pictures
  that are not marked, as some encoders leave them, are taken for the same: what follows the second of them
  refers no further back.
- What a decoder calls damaged at the beginning of a stream that starts without a key frame only lacks what
  was cut off; the decoder itself tells when it has recovered from that.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from vsodtool.media.video.nal_units import NalUnits

Fault = Literal["", "lost", "damaged", "refers"]
"""Good; did not decode; decoded with damage; refers to such a frame."""

_MOST_WAITING = 16  # frames; no decoder of these codecs holds more back
_MOST_OUT = 64  # packets behind which no frame comes any more
_PREDICTED = (PictureType.P, PictureType.B)
# Of these codecs B pictures are never referred to.
_LAST_B = frozenset(
    ("mpeg1video", "mpeg2video", "mpeg4", "vc1", "wmv3", "rv30", "rv40", "cavs", "msmpeg4v2", "msmpeg4v3")
)

_REFUSING = frozenset(("libdav1d",))  # decoders that fail at whatever refers to what did not decode


@dataclass(frozen=True)
class Decoded:
    """What became of a packet.

    Attributes:
        frame: the frame, None where the packet did not decode.
        fault: what is wrong with it.
    """

    frame: VideoFrame | None
    fault: Fault


def decode_judged(
    container: InputContainer, stream: VideoStream, shown: Collection[int]
) -> Iterator[Decoded]:
    """All frames that decode, in the order in which they are shown; an unreadable rest ends it.

    Args:
        container: the file.
        stream: of it, with nothing decoded yet.
        shown: presentation times of the frames that it should give; nothing where its times tell nothing.
    """
    judge = _Judge(stream, shown)
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError:  # the caller sees the frames that are missing at the end
            packet = None
        if packet is None:
            break
        judge.send(packet)
        try:
            frames = packet.decode()
        except av.FFmpegError:
            judge.lose(packet)
            frames = []
            yield from judge.ready()
        # Popped, so that nobody but the caller holds what was handed on.
        frames.reverse()
        while frames:
            frame = frames.pop()
            if isinstance(frame, VideoFrame):
                judge.take(frame)
                del frame
                yield from judge.ready()
    yield from judge.rest()


@dataclass(frozen=True)
class _Waiting:
    """A frame, or the lack of one, about which others may decide that are still in the decoder.

    Attributes:
        frame: None where its packet did not decode.
        number: place in the stream.
        fault: what is wrong with itself.
        is_key: whether nothing from here on refers to what is stored before.
        is_point: whether nothing refers to what is stored before, from the next one of these on.
    """

    frame: VideoFrame | None
    number: int
    fault: Fault
    is_key: bool = False
    is_point: bool = False


class _Judge:
    """Follows a stream through its decoder."""

    def __init__(self, stream: VideoStream, shown: Collection[int]) -> None:
        self._context, self._shown = stream.codec_context, shown
        self._is_timed = bool(shown)
        self._codec = self._context.name
        self._units = NalUnits(stream)
        self._sent = 0
        self._numbers: dict[int, int] = {}  # presentation time -> number, of the latest packets
        self._out: dict[int, Packet[VideoStream]] = {}  # number -> packet of which no frame came yet
        self._waiting: deque[_Waiting] = deque()
        self._damaged: list[int] = []  # numbers since the latest key frame, ascending
        self._refresh = -1  # number where the latest refresh began
        self._began = False

    def send(self, packet: Packet[VideoStream]) -> None:
        """The next packet is decoded now."""
        if packet.size:
            if not self._is_timed:  # what a decoder hands on from packet to frame is the presentation time
                packet.pts, packet.dts = self._sent, None
            if packet.pts is not None:
                self._numbers[packet.pts] = self._sent
            self._out[self._sent] = packet
            self._sent += 1
            self._out.pop(self._sent - _MOST_OUT, None)
            if len(self._numbers) > _MOST_OUT:
                del self._numbers[next(iter(self._numbers))]

    def lose(self, packet: Packet[VideoStream]) -> None:
        """It did not decode."""
        number = self._sent - 1
        self._out.pop(number, None)
        if self._began or packet.is_keyframe:
            self._miss(number, packet)
        self._waiting.append(_Waiting(None, number, "lost"))

    def take(self, frame: VideoFrame) -> None:
        """The next frame came out."""
        number = self._sent - 1
        if frame.pts is not None:
            number = self._numbers.get(frame.pts, number)
        packet = self._out.pop(number, None)
        is_key = frame.key_frame and frame.pict_type not in _PREDICTED
        is_marked = packet is not None and packet.is_keyframe
        is_point = self._codec == "h264" and not is_key and (is_marked or frame.pict_type == PictureType.I)
        if frame.pts is not None and frame.pts in self._shown:
            self._pass(frame.pts)
        self._began |= is_key or not frame.is_corrupt
        if frame.is_corrupt and self._began and not self._is_unreferenced(frame, packet):
            insort(self._damaged, number)
        self._waiting.append(_Waiting(frame, number, "damaged" if frame.is_corrupt else "", is_key, is_point))

    def ready(self) -> Iterator[Decoded]:
        """The frames about which nothing that is still in the decoder can decide."""
        while self._waiting:
            number = self._waiting[0].number
            others = next(iter(self._out), number) < number
            if others and self._context.has_b_frames and len(self._waiting) <= _MOST_WAITING:
                return
            yield self._judge()

    def rest(self) -> Iterator[Decoded]:
        """Those that are left at the end."""
        while self._waiting:
            yield self._judge()

    def _judge(self) -> Decoded:
        each = self._waiting.popleft()
        # To what is stored before one of these, nothing refers that is shown from here on.
        if each.is_key:
            del self._damaged[: bisect_left(self._damaged, each.number)]
        elif each.is_point:
            del self._damaged[: bisect_left(self._damaged, self._refresh)]
        if each.is_key or each.is_point:
            self._refresh = each.number
        refers = bool(self._damaged) and self._damaged[0] < each.number
        return Decoded(each.frame, each.fault or ("refers" if refers else ""))

    def _pass(self, time: int) -> None:
        """What should have been shown by now: hidden frames, what does not decode, and what is late.

        Late is what waits for one behind it that is missing, on which others are built.
        """
        passed = [at for at, each in self._out.items() if each.pts is not None and each.pts <= time]
        for number in passed:
            packet = self._out.pop(number)
            # H.264 that starts with a recovery point gives nothing before it has recovered.
            began = self._began or (packet.is_keyframe and self._codec != "h264")
            is_shown = not packet.is_discard and packet.pts in self._shown
            if began and is_shown:
                self._miss(number, packet)

    def _miss(self, number: int, packet: Packet[VideoStream]) -> None:
        if self._codec not in _REFUSING and not self._units.is_unreferenced(bytes(packet)):
            insort(self._damaged, number)

    def _is_unreferenced(self, frame: VideoFrame, packet: Packet[VideoStream] | None) -> bool:
        if self._codec in _LAST_B:
            return frame.pict_type == PictureType.B
        return packet is not None and self._units.is_unreferenced(bytes(packet))
