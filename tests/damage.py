"""Files as crashes, cut downloads and bad disks leave them: truncated, and with bits turned over."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st


@dataclass(frozen=True)
class Damage:
    """What happens to the bytes of a file.

    Attributes:
        kept: share of the bytes that is left, from the begin.
        flips: places, as shares of what is left, and the bits (1 to 255) that turn over there.
    """

    kept: float
    flips: tuple[tuple[float, int], ...]

    def of(self, data: bytes) -> bytes:
        """The damaged bytes."""
        changed = bytearray(data[: round(self.kept * len(data))])
        for place, bits in self.flips:
            if changed:
                changed[min(int(place * len(changed)), len(changed) - 1)] ^= bits
        return bytes(changed)


def damages() -> st.SearchStrategy[Damage]:
    """Truncation, up to eight damaged bytes, or both; half of the latter in the first hundredth: headers."""
    share = st.floats(0, 1, exclude_max=True)
    place = st.one_of(share, share.map(lambda value: value / 100))
    flips = st.lists(st.tuples(place, st.integers(1, 255)), max_size=8).map(tuple)
    return st.builds(Damage, st.one_of(st.just(1.0), share), flips)
