"""What the pixel values of masks mean, once it is found out: by `detection`, for `codec`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from vsodtool.media.masks.plane_png import Palette
from vsodtool.media.masks.reading import Container

Family: TypeAlias = Literal["grey8", "grey16", "palette", "colour", "alpha"]

VOID = 255
LARGEST_ID = 32  # of ids that are counted from 1


@dataclass(frozen=True)
class Meaning:
    """What pixel values mean.

    Attributes:
        ids: the object ids that occur, void left out, sorted; (1,) for binary masks.
        container: in which they are written; "colour" without `colours` is written as 8-bit grey.
        families: what it was detected from, and is for.
        threshold: values from here on are object (id 1); 0 if the values are ids.
        on: the value written for an object where `threshold` is not 0; of colours, the full one.
        palette: for "palette".
        background: the palette index that stands for "nothing"; it changes places with id 0.
        void: the id of pixels that nobody is judged by and that are no object.
        colours: of the objects, as `RawMask.colours` numbers them: the first is that of id 1.
        ground: the colour that stands for nothing beside these.
        note: what people are told of it beside its name.
        warning: what they are warned of.
    """

    ids: tuple[int, ...] = (1,)
    container: Container = "grey8"
    families: frozenset[Family] = frozenset()
    threshold: int = 0
    on: int = 255
    palette: Palette | None = None
    background: int = 0
    void: int | None = None
    colours: tuple[int, ...] = ()
    ground: int = 0
    note: str = ""
    warning: str = ""

    @property
    def by_alpha(self) -> bool:
        """Whether the opacity says where something is."""
        return "alpha" in self.families
