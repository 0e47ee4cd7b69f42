"""A video, as far as annotations are matched to it."""

from __future__ import annotations

from dataclasses import dataclass

from vsodtool.types import Size


@dataclass(frozen=True)
class Clip:
    """By default the golden scene as a video file: five frames of 8 x 10, called 00000, 00001, ..."""

    count: int = 5
    size: Size = (8, 10)
    name: str = "clip"
    is_file: bool = True
    own_names: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return self.own_names or tuple(f"{number:05d}" for number in range(self.count))
