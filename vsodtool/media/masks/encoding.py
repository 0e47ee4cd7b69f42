"""How the masks of one video are stored, and writing labels so that they are stored alike.

A new encoding is a line of ENCODINGS; what the present ones mean stands at the top of `detection`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vsodtool.config.void import AUTO
from vsodtool.errors import DataError
from vsodtool.media.masks import codec, detection
from vsodtool.media.masks.by_palette import as_indices
from vsodtool.media.masks.detection import Group
from vsodtool.media.masks.meaning import VOID, Family, Meaning
from vsodtool.media.masks.reading import RawMask, read_raw_mask
from vsodtool.media.masks.statistics import MaskSummary, merge_palettes, summarise
from vsodtool.types import LabelArray

_VISIBLE = 48  # of 255: what is darker than that is not seen over a video


@dataclass(frozen=True)
class Encoding:
    """A line of the table.

    Attributes:
        title: as people are told.
        detect: masks that are stored alike -> what they mean, None if they are of another encoding.
        decode: a mask -> object ids, uint16 (H, W), 0 = nothing.
        encode: object ids -> a PNG.
        given: a mask given -> a PNG with exactly its pixel values.
    """

    title: str
    detect: Callable[[Group], Meaning | None]
    decode: Callable[[RawMask, Meaning], LabelArray] = codec.decode_values
    encode: Callable[[LabelArray, Meaning], bytes] = codec.encode_values
    given: Callable[[RawMask, Meaning], bytes] = codec.given_values


# The first that detects itself is it.
ENCODINGS: dict[str, Encoding] = {
    "binary255": Encoding("0/255 grey", partial(detection.detect_binary, "grey8")),
    "ids8": Encoding("ids in 8-bit grey", partial(detection.detect_ids, "grey8")),
    "binary65535": Encoding("0/65535 grey", partial(detection.detect_binary, "grey16")),
    "ids16": Encoding("ids in 16-bit grey", partial(detection.detect_ids, "grey16")),
    "palette": Encoding("palette", detection.detect_palette),
    "colours": Encoding(
        "a colour for each object", detection.detect_colours, codec.decode_colours, codec.encode_colours
    ),
    "colour": Encoding("object drawn in colour", detection.detect_colour, given=codec.given_as_decoded),
}


@dataclass(frozen=True)
class MaskEncoding:
    """How the masks of one video are stored.

    Attributes:
        kind: its name in ENCODINGS.
        meaning: what was found out about it.
        one: where masks of one object are stored in several ways, the id that is the object in this one.
        others: the other ways.
    """

    kind: str
    meaning: Meaning = field(default_factory=Meaning)
    one: int = 0
    others: tuple[MaskEncoding, ...] = ()

    @property
    def title(self) -> str:
        """As people are told."""
        ways = (self, *self.others)
        return " and ".join(
            ENCODINGS[way.kind].title + (f" ({way.meaning.note})" if way.meaning.note else "") for way in ways
        )

    @property
    def holds_ids(self) -> bool:
        """Whether the values are object ids."""
        return not self.meaning.threshold and not self.others

    @property
    def by_index(self) -> bool:
        """Whether the values are indices of a palette, whose colours tell several objects apart."""
        return self.kind == "palette" and self.holds_ids and len(self.meaning.ids) > 1

    def with_room(self, largest: int, colours: bytes) -> MaskEncoding | None:
        """The same for ids up to `largest`; None if it holds no ids, or none as large.

        Args:
            largest: the largest id.
            colours: R, G, B of 256 indices, for those that its palette lacks.
        """
        meaning = self.meaning
        most = len(meaning.colours) or (65535 if meaning.container == "grey16" else VOID - 1)
        if not self.holds_ids or largest > most:
            return None
        if meaning.palette is None:
            return self
        own = meaning.palette.colours
        return replace(
            self,
            meaning=replace(meaning, palette=replace(meaning.palette, colours=own + colours[len(own) :])),
        )

    def colour(self, object_id: int) -> tuple[int, int, int] | None:
        """RGB in which the masks show an object; None where they have no colours, or it is all but black."""
        if self.meaning.palette is None or self.meaning.threshold or self.others:
            return None
        index = 0 if object_id == self.meaning.background else object_id  # they changed places
        red, green, blue = self.meaning.palette.colour(index)
        return (red, green, blue) if max(red, green, blue) >= _VISIBLE else None

    @property
    def warnings(self) -> list[str]:
        """What a person should know."""
        return [way.meaning.warning for way in (self, *self.others) if way.meaning.warning]

    @property
    def digest(self) -> str:
        """Of all that a mask is read by, or labels are written by: not of the other ways, nor of the ids."""
        meaning = asdict(replace(self.meaning, ids=(), note="", warning=""))
        meaning["families"] = sorted(self.meaning.families)
        told = [self.kind, self.one if self.one != 1 else 0, meaning]
        return hashlib.sha256(json.dumps(told, sort_keys=True, default=bytes.hex).encode()).hexdigest()

    def way_of(self, summary: MaskSummary) -> str:
        """Digest of the way in which a mask is read, "" for an empty one that is stored otherwise."""
        own = self.of(summary)
        if own is None:
            return "" if summary.empty else self.digest  # by its colours, which the palette has
        return own.digest

    def fits(self, raw: RawMask) -> bool:
        """Whether what a mask holds can be told by this encoding."""
        raw = self._indexed(raw)
        drawn = raw.alpha if raw.alpha is not None and raw.transparent else raw.values
        return self.of(raw) is not None or not drawn.any()

    def of(self, raw: RawMask | MaskSummary) -> MaskEncoding | None:
        """The way in which a mask is stored, None if it is none of these."""
        family: Family = raw.container
        if raw.cut_out and any(way.meaning.by_alpha for way in (self, *self.others)):
            family = "alpha"
        return next((way for way in (self, *self.others) if family in way.meaning.families), None)

    def labels(self, raw: RawMask) -> LabelArray:
        """Object ids of a mask, uint16 (H, W), 0 = nothing; a mask stored otherwise must be an empty one."""
        return self.read(raw)[0]

    def read(self, raw: RawMask) -> tuple[LabelArray, npt.NDArray[np.bool_] | None]:
        """Object ids of a mask as above, and where it is void (None: nowhere)."""
        raw = self._indexed(raw)
        own = self.of(raw)
        if own is None:
            return np.zeros(raw.size, np.uint16), None
        labels = ENCODINGS[own.kind].decode(raw, own.meaning)
        if own.one:
            return (labels == own.one).astype(np.uint16), None
        void = None if own.meaning.void is None else labels == own.meaning.void
        if void is None or not void.any():
            return labels, None
        return np.where(void, np.uint16(0), labels), void

    def read_written(self, raw: RawMask) -> LabelArray:
        """Object ids of a mask that was written in this encoding, uint16 (H, W)."""
        labels = self.labels(raw)
        if raw.container == "grey8" and any(way.kind == "colour" for way in (self, *self.others)):
            labels[raw.values > 127] = 1  # given in colour, written as 0 and 255
        return labels

    def encode(self, labels: LabelArray) -> bytes:
        """A PNG that holds these labels in this encoding.

        Args:
            labels: object ids, (H, W); only ids that occur in the masks given.

        Raises:
            ValueError: an id is too large for the encoding.
        """
        ids = labels * np.uint16(self.one) if self.one else labels
        return ENCODINGS[self.kind].encode(ids, self.meaning)

    def encode_given(self, raw: RawMask) -> bytes:
        """A PNG with exactly the pixel values of a mask given (for "colour": 0 and 255)."""
        raw = self._indexed(raw)
        own = self.of(raw)
        if own is None:
            return self.encode(np.zeros(raw.size, np.uint16))
        return ENCODINGS[own.kind].given(raw, own.meaning)

    def _indexed(self, raw: RawMask) -> RawMask:
        """The mask, or its indices where it was saved in the colours of the palette."""
        if raw.container != "colour" or not self.by_index:
            return raw
        meaning = self.meaning
        assert meaning.palette is not None
        occurring = {*meaning.ids, 0, meaning.background}
        if meaning.void is not None:
            occurring.add(meaning.void)
        indices = as_indices(raw, meaning.palette, occurring)
        return raw if indices is None else indices


def detect_encoding(
    summaries: Sequence[MaskSummary], void: str = AUTO, leading: Collection[MaskSummary] = ()
) -> tuple[MaskEncoding, tuple[int, ...]]:
    """The encoding of the masks of one video, and the object ids that occur (a binary mask has id 1).

    Args:
        summaries: of all masks.
        void: the id that is no object: a number, "none", or "auto", which is what the encoding says.
        leading: of masks stored in several ways, those that say how labels are written: as most of these are;
            as most of all where there are none.

    Raises:
        DataError: the masks are stored in ways that do not go together, or a JPEG holds ids.
    """
    drawn = [summary for summary in summaries if not summary.empty] or list(summaries[:1])
    first = {summary.path for summary in leading}
    groups = _groups(drawn, void, first)
    ways = [_detect(group) for group in groups]
    if len(ways) == 1:
        return ways[0], ways[0].meaning.ids or (1,)  # of nothing but empty masks none occurs
    if any(len(way.meaning.ids) != 1 for way in ways):
        indexed = _indexed(drawn, groups[0], ways[0])
        if indexed is None:
            raise _mixture(groups[0], groups[1], by_index=ways[0].by_index)
        return detect_encoding(indexed, void, [each for each in indexed if each.path in first])
    ways = [replace(way, one=way.meaning.ids[0]) for way in ways]
    return replace(ways[0], others=tuple(ways[1:])), (1,)


def _detect(group: Group) -> MaskEncoding:
    for name, line in ENCODINGS.items():
        meaning = line.detect(group)
        if meaning is not None:
            return MaskEncoding(name, replace(meaning, families=group.families))
    raise DataError(f"{group.masks[0].path}: expected a mask, found no encoding that it is in")


def _groups(drawn: Sequence[MaskSummary], void: str, leading: Collection[Path]) -> list[Group]:
    """The masks by how they are stored, the most first, those of `leading` before all."""
    by_alpha = any(summary.transparent for summary in drawn)
    members: dict[Family, list[MaskSummary]] = {}
    for summary in drawn:
        family: Family = "alpha" if by_alpha and summary.cut_out else summary.container
        members.setdefault(family, []).append(summary)
    colour, grey = members.get("colour"), members.get("grey8")
    groups = {frozenset({family}): masks for family, masks in members.items()}
    # A grey among colours is one of them, if there is one for each object.
    if colour and grey and len(_detect(Group(frozenset({"colour"}), colour, void)).meaning.ids) > 1:
        groups[frozenset({"colour", "grey8"})] = groups.pop(frozenset({"colour"})) + groups.pop(
            frozenset({"grey8"})
        )
    found = [Group(families, masks, void) for families, masks in groups.items()]

    def rank(group: Group) -> tuple[int, int]:
        return -sum(summary.path in leading for summary in group.masks), -len(group.masks)

    return sorted(found, key=rank)


def _indexed(drawn: Sequence[MaskSummary], group: Group, way: MaskEncoding) -> list[MaskSummary] | None:
    """The masks, those in colour by the palette of the others; None if that has not all of their colours."""
    if not way.by_index or not any(each.container == "colour" for each in drawn):
        return None
    palette, occurring = merge_palettes(group.masks), {*group.found.counts, 0}
    found = []
    for summary in drawn:
        if summary.container != "colour":
            found.append(summary)
            continue
        raw = as_indices(read_raw_mask(summary.path), palette, occurring)
        if raw is None:
            return None
        found.append(summarise(summary.path, raw))
    return found


def _mixture(usual: Group, other: Group, *, by_index: bool) -> DataError:
    first, odd = usual.masks[0], other.masks[0]
    found, hint = (
        _stored(odd),
        "save all masks of a video in one encoding; only those of a single object may differ",
    )
    if by_index and odd.container == "colour":
        found = "colours that its palette lacks"
        hint = "save it as indexed, with the palette of the others, or in its colours without soft edges"
    return DataError(
        f"{odd.path}: expected a {_stored(first)} mask like {first.path.name}, found {found}", hint
    )


def _stored(summary: MaskSummary) -> str:
    return "transparent" if summary.transparent else summary.container
