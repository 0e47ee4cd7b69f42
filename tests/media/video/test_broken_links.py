"""Which pictures of a joined H.265 stream are never shown, by ITU-T H.265, on streams of bare headers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from vsodtool.media.video.broken_links import BrokenLinks

TRAIL, RASL, BLA, IDR, CRA, END_OF_SEQUENCE = 1, 8, 16, 19, 21, 36


class Packet:
    """A picture: the headers of its units, and when it is shown."""

    def __init__(self, pts: int, *units: int, length_bytes: int = 0) -> None:
        self.pts = pts
        bodies = [bytes([unit << 1, 1, 0x55]) for unit in units]
        if length_bytes:
            self._data = b"".join(len(body).to_bytes(length_bytes, "big") + body for body in bodies)
        else:
            self._data = b"".join(b"\0\0\1" + body for body in bodies)

    def __bytes__(self) -> bytes:
        return self._data


def links(packets: list[Packet], *, codec: str = "hevc", head: bytes = b"", most: int = 2) -> BrokenLinks:
    stream = cast("Any", SimpleNamespace(codec_context=SimpleNamespace(name=codec, extradata=head)))
    found = BrokenLinks(stream, most)
    for packet in packets:
        found.see(cast("Any", packet))
    return found


def test_leading_pictures_of_a_broken_link_are_skipped_and_those_before_it_may_be_held_back() -> None:
    found = links([Packet(0, IDR), Packet(1, TRAIL), Packet(2, TRAIL), Packet(5, BLA), Packet(3, RASL)])
    assert found.skipped == {3}
    assert found.held_back == {1, 2}


@pytest.mark.parametrize("ended", [True, False])
def test_a_clean_random_access_picture_is_a_link_only_behind_an_end_of_sequence(ended: bool) -> None:
    last = (TRAIL, END_OF_SEQUENCE) if ended else (TRAIL,)
    found = links([Packet(0, IDR), Packet(1, *last), Packet(4, CRA), Packet(3, RASL)])
    assert found.skipped == ({3} if ended else set())


def test_the_end_may_stand_before_the_next_picture() -> None:
    found = links([Packet(0, IDR), Packet(4, END_OF_SEQUENCE, CRA), Packet(3, RASL)])
    assert found.skipped == {3}


def test_a_stream_that_begins_with_such_a_picture_is_not_joined_there() -> None:
    found = links([Packet(1, BLA), Packet(0, RASL)])
    assert not found.skipped
    assert not found.held_back


def test_units_with_lengths_before_them_are_read_by_the_lengths() -> None:
    head = bytes([1]) + bytes(20) + bytes([3])  # a record of mp4: lengths of four bytes
    packets = [
        Packet(0, IDR, length_bytes=4),
        Packet(5, BLA, length_bytes=4),
        Packet(3, RASL, length_bytes=4),
    ]
    assert links(packets, head=head).skipped == {3}


def test_of_other_codecs_there_is_nothing_to_say() -> None:
    assert not links([Packet(0, IDR), Packet(5, BLA), Packet(3, RASL)], codec="h264").skipped
