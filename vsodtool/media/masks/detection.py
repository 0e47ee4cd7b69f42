"""How each encoding of masks is told from the others. Their table: `encoding`.

The rules, applied to all masks of one video that are stored alike (the ones that are empty fit everything):

- Palette (PNG, BMP, GIF, TIFF): the indices are object ids. Index 0 is the background; only where index 0 is
  not black and most pixels have an index that is black, that index is the background. 255 is void, unless
  nothing else occurs. A grey ramp is read as grey, and so are over 32 greys in any order; and shades of one
  colour along borders are read as the same picture without a palette (`soft_palettes`).
- Grey (also RGB(A) whose channels agree), with `full` = 255, or 65535 for 16 bit:
  - `full` only: a binary mask. Another single value, such as 1 or 38: the id of one object. Files with
    nothing but 1 beside files with nothing but `full` are binary masks stored in two ways; so are those with
    nothing but another value, with a warning. Up to four values of 98 % of `full` or more are white.
  - `full` in lines that are in no mask thicker than a border, in masks that have ids besides: the lines are
    void. Where ids are above 32, and may be evenly spread up to `full`, most must run along their outlines.
  - `full` and values between: anti-aliased binary if the pixels in between are border pixels, that is if
    most of them see values besides their own and 0 in their 3x3 neighbourhood, or none has a uniform one.
    Otherwise they form objects of their own: ids.
  - no `full`, several values ({0,1,2}, {0,38,75}): ids; but a soft binary mask if the values behave like
    borders and are many (over 32) or reach 90 % of `full`. Below half of `full` it is cut at half of
    its largest value.
  - The same is asked of the pixels below the largest value of their own mask, if few of the values are such a
    largest one: a soft mask whose inside is solid, but not `full`. It is cut at half of the largest value.
  - Lossy files (JPEG, most WebP) cannot store ids: always binary.
- RGB(A): nothing is what is black; if the opacity of any mask varies and is below half somewhere, what is not
  opaque. Masks beside it whose opacity says nothing go by black if they have any, else they are all object.
  - Two to 255 colours that fill areas of their own and make up a quarter of what is drawn: one object each;
    border pixels belong to the nearest colour. VOC's (224, 224, 192) beside others is void. Where no pixel
    of any mask is black, the colour that most of them have is nothing.
  - Otherwise, and in lossy files: one object, in whatever colours. Border pixels are cut at half of the
    strength that the colour or opacity reaches.

Binary masks are cut at 50 %: 128 and above is object.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from vsodtool.config.void import AUTO, NONE
from vsodtool.errors import DataError
from vsodtool.media.masks.borders import BORDER_SHARE
from vsodtool.media.masks.meaning import LARGEST_ID, VOID, Family, Meaning
from vsodtool.media.masks.reading import OPAQUE, Container
from vsodtool.media.masks.statistics import (
    VOID_COLOUR,
    ColourStatistics,
    MaskSummary,
    PlaneStatistics,
    merge_palettes,
    total,
)

_MANY_VALUES = 32
_FEW_VALUES = 4
_MOST_COLOURS = 255
_WHITE = 0.98  # of the largest value: white but for rounding
_STRAY = 9  # pixels; a colour that has fewer is a speck
_GREY = 1 << 32 | 1 << 16 | 1


@dataclass(frozen=True)
class Group:
    """Masks of one video that are stored alike.

    Attributes:
        families: how they are stored.
        masks: those that are not empty, or the first if all are.
        void: "auto", "none" or an id, as `--void` says.
    """

    families: frozenset[Family]
    masks: Sequence[MaskSummary]
    void: str = AUTO

    @cached_property
    def found(self) -> PlaneStatistics:
        """What values occur."""
        return total(summary.absolute for summary in self.masks)

    @property
    def full(self) -> int:
        """The largest value that the depth allows."""
        return self.masks[0].full

    @property
    def lossy(self) -> MaskSummary | None:
        """A mask whose values may have changed."""
        return next((summary for summary in self.masks if summary.lossy), None)

    def void_or(self, automatic: int | None) -> int | None:
        """The id that is void: what `--void` says, or this."""
        if self.void == AUTO:
            return automatic
        return None if self.void == NONE else int(self.void)

    def drawn(self) -> ColourStatistics:
        """What colours occur; grey masks among colours have grey ones."""
        result = ColourStatistics()
        for summary in self.masks:
            found = summary.drawn
            if found is None:
                grey = {value * _GREY: count for value, count in summary.absolute.counts.items() if value}
                size = sum(summary.absolute.counts.values())
                found = ColourStatistics(size, sum(grey.values()), grey, grey)
            if "alpha" in self.families and not summary.transparent:
                counts, alone = (
                    {colour + OPAQUE: count for colour, count in each.items()}
                    for each in (found.counts, found.alone)
                )
                found = ColourStatistics(found.size, found.drawn, counts, alone, found.coarse)
            result.add(found)
        return result


def detect_binary(container: Container, group: Group) -> Meaning | None:
    """Grey masks of one object with values from 0 to `full`; None for others.

    Args:
        container: of which depth.
        group: masks that are stored alike.

    Raises:
        DataError: a lossy file holds what looks like ids.
    """
    if container not in group.families or "colour" in group.families:
        return None
    threshold, on = _cut(group)
    if not threshold:
        return None
    return Meaning((1,), container, threshold=threshold, on=on, warning=_in_several_ways_warning(group))


def detect_ids(container: Container, group: Group) -> Meaning | None:
    """Grey masks whose values are ids; None for those of another container.

    Args:
        container: of which depth.
        group: masks that are stored alike, and are no binary ones.
    """
    if container not in group.families or "colour" in group.families:
        return None
    void = group.void_or(group.full if _has_border(group) else None)
    values = group.found.values
    return Meaning(_without(values, void), container, void=void, note=_note(void, values))


def detect_palette(group: Group) -> Meaning | None:
    """Palette files: indices are ids, or grey where the colours are; None for others.

    Raises:
        DataError: one id has different colours in two of the masks.
    """
    if "palette" not in group.families:
        return None
    palette, found = merge_palettes(group.masks), group.found
    grey = found.values and all(palette.colour(value) == bytes([value] * 3) for value in found.counts)
    if grey:
        threshold, on = _cut(group)
        if threshold:
            warning = _in_several_ways_warning(group)
            return Meaning((1,), "palette", threshold=threshold, on=on, palette=palette, warning=warning)
    background = 0
    if palette.colour(0) != b"\0\0\0":
        commonest = max(found.counts, key=lambda value: found.counts[value])
        most = 2 * found.counts[commonest] > sum(found.counts.values())
        if palette.colour(commonest) == b"\0\0\0" and most:
            background = commonest
    occurring = {background if value == 0 else value for value in found.counts if value != background}
    border = _has_border(group) if grey else occurring != {VOID}
    void = group.void_or(VOID if border else None)
    return Meaning(
        _without(occurring, void),
        "palette",
        palette=palette,
        background=background,
        void=void,
        note=_note(void, occurring),
    )


def detect_colours(group: Group) -> Meaning | None:
    """Files with a colour for each object, which are numbered by their colours; None for others."""
    if not {"colour", "alpha"} & group.families or group.lossy is not None:
        return None
    drawn = group.drawn()
    solid = _solid(drawn)
    opaque = OPAQUE if "alpha" in group.families else 0
    if not 2 <= len(solid) <= _MOST_COLOURS or 4 * sum(map(drawn.counts.__getitem__, solid)) < drawn.drawn:
        return None
    ground = max(solid, key=drawn.counts.__getitem__)
    if opaque or drawn.drawn < drawn.size or 2 * drawn.counts[ground] < drawn.size:
        ground = 0
    colours = [colour for colour in solid if colour not in (VOID_COLOUR + opaque, ground)]
    if not colours:
        return None
    automatic = None
    if VOID_COLOUR + opaque in drawn.counts:
        colours.append(VOID_COLOUR + opaque)
        automatic = len(colours)
    void = group.void_or(automatic)
    numbers = range(1, len(colours) + 1)
    note = "" if automatic is None or void != automatic else "224,224,192 is void"
    return Meaning(
        _without(numbers, void),
        "colour",
        on=group.full,
        void=void,
        colours=tuple(colours),
        ground=ground,
        note=note,
    )


def detect_colour(group: Group) -> Meaning | None:
    """Files with one object, drawn in whatever colours, or cut out; None for grey and palette files."""
    if not {"colour", "alpha"} & group.families:
        return None
    by_alpha = "alpha" in group.families
    parts = [summary.alpha if by_alpha else summary.relative for summary in group.masks]
    found = total(part for part in parts if part is not None)
    borders = found.alone_share < BORDER_SHARE or found.flat == 0
    veiled = by_alpha and 0 not in found.counts  # what is nothing shines through
    between = group.lossy is not None or (found.between and borders) or veiled
    threshold = found.weakest_top // 2 + 1 if between else 1
    drawn = group.drawn()
    solid = [colour for colour in _solid(drawn) if 50 * drawn.counts[colour] >= drawn.drawn]
    warning = ""
    if max(_shades(drawn.coarse), len(solid)) > 1 and not (by_alpha and drawn.coarse):
        warning = "several colours are drawn and not told apart: all of them are one object"
    return Meaning((1,), "colour", threshold=threshold, warning=warning)


def _cut(group: Group) -> tuple[int, int]:
    """Where to cut binary masks, and the value of their object; (0, 0) if the values are ids."""
    found, full = group.found, group.full
    lossy = group.lossy
    if lossy is not None:
        if found.values and max(found.values) * 2 <= full:
            raise DataError(
                f"{lossy.path}: expected object pixels of {full // 2 + 1} to {full}, found nothing above "
                f"{max(found.values)} in a JPEG or lossy WebP, which cannot store ids",
                "save the masks as PNG",
            )
        return full // 2 + 1, full
    values = found.values
    if group.void not in (AUTO, NONE) and len(values) > 1 and int(group.void) in values:
        return 0, 0
    if _in_several_ways(group):
        return 1, values[-1]
    if group.void == AUTO and _has_border(group) and values[-2] <= LARGEST_ID:
        return 0, 0
    return _threshold(group), full


def _threshold(group: Group) -> int:
    """Where to cut a binary mask; 0 if the values are ids. The rules stand at the top of this file."""
    found, full = group.found, group.full
    values = found.values
    if len(values) < 2:
        return full // 2 + 1 if values in ([], [full]) else 0
    top = values[-1]
    if top < 0.9 * full and len(values) <= _MANY_VALUES:
        return 0
    if found.alone_share < BORDER_SHARE or (top == full and found.flat == 0):
        return (full if top > full // 2 else top) // 2 + 1
    white = top == full and values[0] >= _WHITE * full and len(values) <= _FEW_VALUES
    return top // 2 + 1 if not _has_border(group) and (white or _shades_off(group)) else 0


def _shades_off(group: Group) -> bool:
    """Whether values below the largest of their mask form borders, and few of all values are such largest."""
    below = total(summary.relative for summary in group.masks)
    borders = below.between > 0 and below.alone_share < BORDER_SHARE
    return borders and 2 * len(below.tops) <= len(group.found.values)


def _in_several_ways(group: Group) -> bool:
    """Whether each mask has one value only, and all of these stand for one object."""
    values = group.found.values
    if len(values) < 2 or any(len(summary.absolute.values) > 1 for summary in group.masks):
        return False
    return set(values) <= {1, 255, group.full} or _may_be_several_objects(group)


def _may_be_several_objects(group: Group) -> bool:
    """Whether masks of one value each, that of most of them `full`, could as well have ids."""
    values, full = group.found.values, group.full
    whole = sum(summary.absolute.values == [full] for summary in group.masks)
    uncommon = not set(values) <= {1, 255, full} and values[0] < _WHITE * full
    return (
        group.void == AUTO and whole > 0 and uncommon and (len(values) == 2 or 2 * whole > len(group.masks))
    )


def _in_several_ways_warning(group: Group) -> str:
    if not (_in_several_ways(group) and _may_be_several_objects(group)):
        return ""
    values = [value for value in group.found.values if value != group.full]
    first = next(summary.path.name for summary in group.masks if summary.absolute.values == values[:1])
    return (
        f"masks of nothing but {', '.join(map(str, values))} ({first}) beside masks of nothing but "
        f"{group.full} are read as one object; if the values are ids, say --void none"
    )


def _has_border(group: Group) -> bool:
    """Whether `full` occurs in nothing but lines, beside areas of other values."""
    found, count = group.found, group.found.counts.get(group.full, 0)
    lines = found.flat > 0 and 50 * found.thick_top <= count and 4 * found.accompanied_top >= count > 0
    if not lines or found.values[-2] <= LARGEST_ID:
        return lines
    # Of many ids, or of greys, 255 may be one as well: it is none if it follows their outlines.
    return count < _STRAY or 2 * found.lining_top >= count


def _solid(drawn: ColourStatistics) -> list[int]:
    """The colours that fill areas of their own, sorted."""
    pure = drawn.drawn == sum(drawn.counts.values())
    return [
        colour
        for colour, count in sorted(drawn.counts.items())
        if 2 * drawn.alone.get(colour, 0) >= count and (pure or count >= _STRAY)
    ]


def _shades(coarse: Mapping[int, int]) -> int:
    """How many colours there are in lossy files; shades that are at most a step apart are the same one."""
    size = sum(coarse.values())
    left = {shade for shade, count in coarse.items() if 50 * count >= size}
    found = 0
    while left:
        joined = [left.pop()]
        for shade in joined:  # which grows by what is like its members
            like = [other for other in left if _are_alike(shade, other)]
            joined += like
            left.difference_update(like)
        found += 10 * sum(map(coarse.__getitem__, joined)) >= size
    return found


def _are_alike(shade: int, other: int) -> bool:
    return all(abs((shade >> place & 0xFF) - (other >> place & 0xFF)) <= 1 for place in (0, 8, 16))


def _note(void: int | None, occurring: Collection[int]) -> str:
    return f"{void} is void" if void in occurring else ""


def _without(ids: Collection[int], void: int | None) -> tuple[int, ...]:
    return tuple(sorted(number for number in ids if number != void))
